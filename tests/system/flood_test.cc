// SPDX-License-Identifier: Apache-2.0
#include "lab/environment.h"
#include "lab/flood.h"
#include "system/under_load.h"

#include <fmt/format.h>
#include <fmt/ostream.h>
#include <iostream>

namespace system_test {
namespace {

constexpr uint32_t small_table = 4096; // flows; the load's 1,000 connections are two each
constexpr uint64_t per_second = 40'000;
constexpr uint16_t answered_tcp = 80; // by the world's servers
constexpr uint16_t answered_udp = 53;

// Each packet is another flow's.
struct Kind {
    const char* name;
    const char* from;
    bool refused;
    std::function<lab::Packet(uint64_t number)> packet;
};

// Not those of the load and its policies.
uint16_t near_port(uint64_t number)
{
    return static_cast<uint16_t>(10'000 + number % 50'000);
}
uint16_t far_port(uint64_t number)
{
    return static_cast<uint16_t>(40'000 + number / 50'000);
}

class Floods : public UnderLoad {
protected:
    void SetUp() override
    {
        max_flows_ = small_table;
        UnderLoad::SetUp();
        const PolicyFile answered =
            policy("shop/answered",
                   fmt::format(
                       "{{podSelector: {{matchLabels: {{app: db}}}}, ingress: [{{from: [{{ipBlock: "
                       "{{cidr: 198.18.0.0/15}}}}, {{ipBlock: {{cidr: 'fd99::/16'}}}}], ports: "
                       "[{{port: {}}}, {{protocol: UDP, port: {}}}]}}]}}",
                       answered_tcp, answered_udp));
        replace_file(agent().policies() / answered.name, answered.text);
        // Answers to sources that nobody has go nowhere, and no error comes back.
        ASSERT_TRUE(machine("node").netns.ip("route add blackhole 198.18.0.0/15\n"
                                             "route add blackhole fd99::/16\n"));
    }
    lab::Packet from_scan()
    {
        return world_->node().packet(machine("scan"), machine("db"), family());
    }
    lab::Packet from(const char* sender, const std::string& source)
    {
        lab::Packet packet = world_->node().frame(machine(sender), nullptr);
        return family() == Family::v4 ? packet.ipv4(source, machine("db").v4)
                                      : packet.ipv6(source, machine("db").v6);
    }
    std::string nobody(uint64_t number, const char* v4, const char* v6) const
    {
        return family() == Family::v4
                   ? fmt::format("{}.{}.{}", v4, number >> 8 & 0xff, number & 0xff)
                   : fmt::format("{}::{:x}", v6, number & 0xffff);
    }
    std::vector<Kind> kinds();
    // What the flood did to the load, as a line of the test's output.
    std::string fight(const Kind& kind);

    uint64_t refused_ = 0; // packets of all floods
};
INSTANTIATE_TEST_SUITE_P(Agent, Floods, testing::ValuesIn(every_way_once()), load_name);

std::vector<Kind> Floods::kinds()
{
    using lab::Bytes;
    return {
        {"SYNs that policy refuses", "scan", true,
         [this](uint64_t i) { return from_scan().tcp(near_port(i), far_port(i), lab::SYN); }},
        {"SYNs from spoofed sources", "scan", true,
         [this](uint64_t i) {
             return from("scan", nobody(i, "10.77", "fd77"))
                 .tcp(near_port(i), far_port(i), lab::SYN);
         }},
        {"SYNs that a server answers", "outside", false,
         [this](uint64_t i) {
             return from("outside", nobody(i, "198.18", "fd99"))
                 .tcp(near_port(i), answered_tcp, lab::SYN);
         }},
        {"UDP that policy refuses", "scan", true,
         [this](uint64_t i) { return from_scan().udp(near_port(i), far_port(i)); }},
        {"UDP that a server answers", "outside", false,
         [this](uint64_t i) {
             return from("outside", nobody(i, "198.18", "fd99")).udp(near_port(i), answered_udp);
         }},
        {"first fragments", "scan", true,
         [this](uint64_t i) {
             return from_scan()
                 .fragment(static_cast<uint32_t>(i), 0, true)
                 .udp(near_port(i), far_port(i))
                 .payload(Bytes(16));
         }},
        {"later fragments", "scan", true,
         [this](uint64_t i) {
             return from_scan()
                 .fragment(static_cast<uint32_t>(i), 64, true)
                 .raw(lab::protocol_udp, Bytes(64));
         }},
        {"overlapping fragments", "scan", true,
         [this](uint64_t i) {
             auto packet = from_scan().fragment(static_cast<uint32_t>(i / 3),
                                                static_cast<uint16_t>(i % 3 * 8), true);
             return i % 3 == 0 ? packet.udp(near_port(i), far_port(i)).payload(Bytes(24))
                               : packet.raw(lab::protocol_udp, Bytes(24));
         }},
    };
}

std::string Floods::fight(const Kind& kind)
{
    const uint64_t packets = lab::count_of("EBPFD_FLOOD", 50'000);
    const auto before = load().counts();
    const auto lost = statistics().losses;
    const auto start = std::chrono::steady_clock::now();
    const uint64_t arrived = lab::send_flood(
        machine(kind.from),
        {packets, per_second, [&](uint64_t number) { return kind.packet(number).bytes(); }});
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    refused_ += kind.refused ? arrived : 0;
    const auto after = load().counts();
    const auto losses = statistics().losses;
    return fmt::format(
        "{}: {} of {} packets in {:.1f} s; {} echoes, {} late, {} broken; {} new, {} "
        "slow, {} failed; evicted {}, no room {}\n",
        kind.name, arrived, packets, took.count(), after.echoes - before.echoes,
        after.late - before.late, after.broken - before.broken, after.made - before.made,
        after.slow - before.slow, after.failed - before.failed,
        losses.flows_evicted - lost.flows_evicted, losses.flows_full - lost.flows_full);
}

TEST_P(Floods, ConnectionsGoOnNewOnesGetThroughAndEachRefusalIsCounted)
{
    ASSERT_TRUE(begin()) << agent().process().err();
    for (const Kind& kind : kinds()) {
        std::cout << fight(kind) << std::flush;
        EXPECT_TRUE(is_well()) << kind.name;
    }
    const auto counts = load().finish();
    EXPECT_TRUE(is_well());
    const auto all = statistics();
    EXPECT_EQ(all.denied("db") + all.denied("web") + all.denied("scan"), counts.refused + refused_);
    std::cout << fmt::format("{}\n", fmt::streamed(counts));
}

} // namespace
} // namespace system_test
