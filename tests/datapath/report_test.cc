// SPDX-License-Identifier: Apache-2.0
#include "datapath/bench.h"
#include "datapath/policies.h"

#include <algorithm>
#include <arpa/inet.h>
#include <atomic>
#include <chrono>
#include <functional>
#include <gtest/gtest.h>
#include <map>
#include <net/if.h>
#include <set>
#include <thread>

using namespace bench;
using namespace lab;

namespace {

Packet knock(uint16_t port)
{
    return Packet{}.eth().ipv4(db_v4, web_v4).tcp(port, 81, SYN);
}

std::vector<int> types(const std::vector<::event>& events)
{
    std::vector<int> all;
    for (const auto& event : events)
        all.push_back(event.type);
    return all;
}

TEST(Report, RefusalNamesTheRuleThatDecided)
{
    Bench bench;
    bench.enforce(policies::narrow);
    bench.to_web(knock(1000));
    const auto events = bench.events();
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].verdict, VERDICT_DENY);
    EXPECT_EQ(events[0].direction, DIRECTION_INGRESS);
    const auto rules = *bench.maps().rules();
    const auto& rule = rules.at(events[0].rule);
    EXPECT_EQ(rule.kind, RULE_ISOLATION);
    EXPECT_STREQ(rule.policy_namespace, "shop");
    EXPECT_STREQ(rule.policy, "narrow");
    EXPECT_STREQ(rule.file, "test.yaml");
    EXPECT_EQ(bench.maps().hits(events[0].rule)->denied, 1u);
}

TEST(Report, RefusalsOfOneFlowAreToldOnceAndCountedAll)
{
    Bench bench;
    bench.enforce(policies::narrow);
    for (int i = 0; i < 10; i++)
        bench.to_web(knock(1000));
    bench.to_web(knock(1001));
    EXPECT_EQ(types(bench.events()), (std::vector<int>{EVENT_DROP, EVENT_DROP}));
    const auto ring = bench.losses_of(RING_REFUSALS);
    EXPECT_EQ(ring.produced, 11u);
    EXPECT_EQ(ring.delivered, 2u);
    EXPECT_EQ(ring.suppressed, 9u);
    EXPECT_EQ(ring.lost, 0u);
}

TEST(Report, FullRingLosesRecordsAndCountsThem)
{
    Bench bench;
    bench.enforce(policies::narrow);
    for (uint16_t port = 1; port <= 1000; port++)
        bench.to_web(knock(port));
    const auto ring = bench.losses_of(RING_REFUSALS);
    EXPECT_EQ(ring.produced, 1000u);
    EXPECT_GT(ring.lost, 0u);
    EXPECT_EQ(ring.produced, ring.delivered + ring.suppressed + ring.lost);
    EXPECT_EQ(bench.events().size(), ring.delivered);
}

TEST(Report, RefusalsLeaveTheFlowRingAlone)
{
    Bench bench;
    bench.enforce(policies::narrow);
    for (uint16_t port = 1; port <= 1000; port++)
        bench.to_web(knock(port));
    bench.to_web(Packet{}.eth().ipv4(db_v4, web_v4).tcp(9, 80, SYN));
    EXPECT_EQ(bench.losses_of(RING_FLOWS).lost, 0u);
    const auto events = bench.events();
    EXPECT_EQ(std::ranges::count_if(events, [](auto& e) { return e.type == EVENT_FLOW_OPEN; }), 1);
}

TEST(Report, FlowTellsOfItsLife)
{
    Bench bench;
    bench.enforce(policies::narrow);
    bench.to_web(Packet{}.eth().ipv4(db_v4, web_v4).tcp(9, 80, SYN));
    bench.from_web(Packet{}.eth().ipv4(web_v4, db_v4).tcp(80, 9, SYN | ACK));
    bench.to_web(Packet{}.eth().ipv4(db_v4, web_v4).tcp(9, 80, ACK));
    bench.to_web(Packet{}.eth().ipv4(db_v4, web_v4).tcp(9, 80, FIN | ACK));
    bench.from_web(Packet{}.eth().ipv4(web_v4, db_v4).tcp(80, 9, FIN | ACK));
    const auto events = bench.events();
    EXPECT_EQ(types(events), (std::vector<int>{EVENT_FLOW_OPEN, EVENT_FLOW_UPDATE,
                                               EVENT_FLOW_UPDATE, EVENT_FLOW_CLOSE}));
    EXPECT_EQ(events.back().packets[DIRECTION_INGRESS], 3u);
    EXPECT_EQ(events.back().packets[DIRECTION_EGRESS], 2u);
    EXPECT_EQ(events.back().state, FLOW_CLOSED);
}

TEST(Report, TheFirstSideToEndAFlowClosesIt)
{
    struct Case {
        uint8_t web_flags;
        bool web_first;
        flow_closer closer;
    };
    for (const auto& one : {Case{FIN | ACK, true, CLOSER_POD}, Case{FIN | ACK, false, CLOSER_PEER},
                            Case{RST, true, CLOSER_POD}}) {
        Bench bench;
        bench.enforce(policies::none);
        bench.to_web(Packet{}.eth().ipv4(db_v4, web_v4).tcp(9, 80, SYN));
        bench.from_web(Packet{}.eth().ipv4(web_v4, db_v4).tcp(80, 9, SYN | ACK));
        EXPECT_EQ(bench.events().back().closer, CLOSER_NONE);
        if (!one.web_first)
            bench.to_web(Packet{}.eth().ipv4(db_v4, web_v4).tcp(9, 80, FIN | ACK));
        bench.from_web(Packet{}.eth().ipv4(web_v4, db_v4).tcp(80, 9, one.web_flags));
        if (one.web_first)
            bench.to_web(Packet{}.eth().ipv4(db_v4, web_v4).tcp(9, 80, FIN | ACK));
        EXPECT_EQ(bench.events().back().closer, one.closer);
    }
}

TEST(Report, AResetThatTheOtherSideIgnoresClosesNothing)
{
    Bench bench;
    bench.enforce(policies::none);
    bench.to_web(Packet{}.eth().ipv4(db_v4, web_v4).tcp(9, 80, SYN));
    bench.from_web(Packet{}.eth().ipv4(web_v4, db_v4).tcp(80, 9, SYN | ACK));
    bench.to_web(Packet{}.eth().ipv4(db_v4, web_v4).tcp(9, 80, ACK));
    bench.to_web(Packet{}.eth().ipv4(db_v4, web_v4).tcp(9, 80, RST));
    EXPECT_EQ(bench.flows().at(0).second.closer, CLOSER_PEER);
    bench.from_web(Packet{}.eth().ipv4(web_v4, db_v4).tcp(80, 9, ACK));
    EXPECT_EQ(bench.flows().at(0).second.closer, CLOSER_NONE);
}

void expect_adds_up(const ::ring_ledger& tally)
{
    EXPECT_EQ(tally.produced, tally.delivered + tally.suppressed + tally.lost);
}

void expect_adds_up(const ::ledger& ledger)
{
    for (const auto& type : ledger.type)
        expect_adds_up(type);
}

TEST(Report, RefusalThatWasLostIsToldByTheNextOfItsFlow)
{
    Bench bench;
    bench.enforce(policies::narrow);
    std::set<uint16_t> told;
    const auto listen = [&] {
        for (const auto& event : bench.events())
            told.insert(ntohs(event.key.peer_port));
    };
    std::vector<Bytes> knocks;
    for (uint16_t port = 1; port <= 1000; port++)
        knocks.push_back(knock(port).bytes());
    bench.flood_web(knocks);
    listen();
    const size_t room = told.size();
    ASSERT_LT(room, 500u);
    std::ranges::reverse(knocks); // those first that were lost
    bench.flood_web(knocks);
    listen();
    EXPECT_EQ(told.size(), 2 * room);
    expect_adds_up(bench.losses());
}

TEST(Report, RefusalsOfTheAnswersHaveTheirOwnTime)
{
    Bench bench;
    bench.enforce(policies::narrow);
    bench.to_web(Packet{}.eth().ipv4(db_v4, web_v4).udp(9, 80));
    bench.from_web(Packet{}.eth().ipv4(web_v4, db_v4).udp(80, 9));
    bench.enforce(policies::closed);
    bench.to_web(Packet{}.eth().ipv4(db_v4, web_v4).udp(9, 80));
    (void)bench.events();
    bench.age_flows(std::chrono::seconds(20));
    bench.from_web(Packet{}.eth().ipv4(web_v4, db_v4).udp(80, 9));
    EXPECT_TRUE(bench.events().empty()) << "told less than a second ago";
}

// 200,000 refusals of 20,000 flows as fast as they go, while flows open as fast as they go and
// somebody reads.
TEST(Report, StormOfRefusalsIsCountedAndEachFlowIsTold)
{
    constexpr uint16_t flows = 20'000;
    constexpr int rounds = 10;
    Bench bench;
    auto options = bench.options();
    options.capacities.refusal_ring = 4 << 20;
    bench.reload(options);
    bench.enforce(policies::narrow);
    std::vector<Bytes> knocks, opens;
    for (uint16_t port = 1; port <= flows; port++) {
        knocks.push_back(knock(port).bytes());
        opens.push_back(Packet{}.eth().ipv4(db_v4, web_v4).tcp(port, 80, SYN).bytes());
    }
    std::atomic<bool> done = false;
    std::thread storm([&] {
        for (int round = 0; round < rounds; round++)
            bench.flood_web(knocks);
        done = true;
    });
    std::thread others([&] {
        while (!done)
            bench.flood_web(opens);
    });
    std::map<uint16_t, uint64_t> told; // by flow, with those that its record stands for
    uint64_t drops = 0, rest = 0;
    const auto listen = [&] {
        for (const auto& event : bench.events()) {
            if (event.type != EVENT_DROP) {
                rest++;
                continue;
            }
            drops++;
            told[ntohs(event.key.peer_port)] += 1 + event.suppressed;
        }
    };
    while (!done)
        listen();
    storm.join();
    others.join();
    listen();
    const auto losses = bench.losses();
    EXPECT_EQ(losses.type[EVENT_DROP].produced, uint64_t{flows} * rounds);
    EXPECT_EQ(losses.type[EVENT_DROP].delivered, drops);
    EXPECT_EQ(losses.type[EVENT_DROP].lost, 0u);
    EXPECT_EQ(ring_sum(&losses, RING_FLOWS).delivered, rest);
    expect_adds_up(losses);
    EXPECT_EQ(told.size(), flows);
    for (const auto& [port, refusals] : told)
        EXPECT_LE(refusals, static_cast<uint64_t>(rounds)) << port;
}

// Nobody reads while both rings overflow, on every CPU.
TEST(Report, LedgerAddsUpAfterNobodyHasRead)
{
    Bench bench;
    bench.enforce(policies::narrow);
    std::vector<Bytes> frames;
    for (uint16_t port = 1; port <= 5000; port++) {
        frames.push_back(knock(port).bytes());
        frames.push_back(Packet{}.eth().ipv4(db_v4, web_v4).tcp(port, 80, SYN).bytes());
    }
    std::vector<std::thread> storms;
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(2);
    for (int i = 0; i < 4; i++)
        storms.emplace_back([&] {
            while (std::chrono::steady_clock::now() < end)
                bench.flood_web(frames);
        });
    for (auto& storm : storms)
        storm.join();
    const auto losses = bench.losses();
    EXPECT_GT(ring_sum(&losses, RING_REFUSALS).lost, 0u);
    EXPECT_GT(ring_sum(&losses, RING_FLOWS).lost, 0u);
    expect_adds_up(losses);
    const auto cpus = bench.maps().losses_by_cpu();
    ASSERT_TRUE(cpus);
    for (const auto& cpu : *cpus)
        expect_adds_up(cpu);
    const auto events = bench.events();
    const auto drops = std::ranges::count(events, EVENT_DROP, &event::type);
    EXPECT_EQ(static_cast<uint64_t>(drops), ring_sum(&losses, RING_REFUSALS).delivered);
    EXPECT_EQ(events.size(),
              ring_sum(&losses, RING_REFUSALS).delivered + ring_sum(&losses, RING_FLOWS).delivered);
}

// db connects to web's port 80 and is refused at port 81.
std::vector<int> told_of_a_visit(const ::watch& wanted)
{
    Bench bench;
    bench.enforce(policies::narrow);
    bench.watch(wanted);
    bench.to_web(Packet{}.eth().ipv4(db_v4, web_v4).tcp(9, 80, SYN));
    bench.from_web(Packet{}.eth().ipv4(web_v4, db_v4).tcp(80, 9, SYN | ACK));
    bench.to_web(Packet{}.eth().ipv4(db_v4, web_v4).tcp(9, 80, RST));
    bench.to_web(knock(1000));
    const auto losses = bench.losses();
    expect_adds_up(losses);
    EXPECT_EQ(ring_sum(&losses, RING_FLOWS).produced, 3u);
    EXPECT_EQ(ring_sum(&losses, RING_FLOWS).lost, 0u);
    EXPECT_EQ(ring_sum(&losses, RING_REFUSALS).delivered, 1u);
    auto seen = types(bench.events());
    EXPECT_TRUE(std::erase(seen, EVENT_DROP)) << "refusals are always told";
    return seen;
}

// Twice as many refused flows as suppress_map remembers: who is new there pushes out another, and
// is not kept quiet in its stead.
TEST(Turns, FullTableKeepsNobodyQuietWhoIsNew)
{
    constexpr uint32_t flows = 2 * 4 * 16384;
    Bench bench;
    bench.enforce(policies::closed);
    const auto hook = bench.hook("to_pod", bench.web_ifindex());
    const auto knock_all = [&] {
        for (uint32_t i = 0; i < flows; ++i)
            ASSERT_FALSE(hook.passes(
                Packet{}
                    .eth()
                    .ipv4(db_v4, web_v4)
                    .udp(static_cast<uint16_t>(1 + i % 65536), static_cast<uint16_t>(1 + i / 65536))
                    .bytes()));
    };
    knock_all();
    const auto once = bench.losses_of(RING_REFUSALS);
    EXPECT_EQ(once.produced, flows);
    EXPECT_EQ(once.suppressed, 0u);
    knock_all();
    const auto losses = bench.losses();
    expect_adds_up(losses);
    EXPECT_EQ(ring_sum(&losses, RING_REFUSALS).produced, 2 * flows);
}

TEST(Watch, LeavesOutWhatNobodyWants)
{
    const std::vector<int> all{EVENT_FLOW_OPEN, EVENT_FLOW_UPDATE, EVENT_FLOW_CLOSE}, none;
    const uint32_t web = if_nametoindex("web0");
    ::watch everything{};
    everything.types = ~0U;
    everything.verdicts = 0xffff;
    struct Row {
        const char* name;
        std::function<void(::watch&)> change;
        std::vector<int> told;
    };
    const Row rows[] = {
        {"everything", [](auto&) {}, all},
        {"nothing", [](auto& w) { w = {}; }, none},
        {"changes, for the history", [](auto& w) { w = {}, w.changes = 1; }, all},
        {"one type", [](auto& w) { w.types = 1U << EVENT_FLOW_CLOSE; }, {EVENT_FLOW_CLOSE}},
        {"another verdict", [](auto& w) { w.verdicts = 1U << VERDICT_DENY; }, none},
        {"its verdict", [](auto& w) { w.verdicts = 1U << VERDICT_ALLOW; }, all},
        {"pod's port", [](auto& w) { w.port = htons(80); }, all},
        {"peer's port", [](auto& w) { w.port = htons(9); }, all},
        {"another port", [](auto& w) { w.port = htons(81); }, none},
        {"its pod", [=](auto& w) { w.pod = 1, w.ifindex = web; }, all},
        {"another pod", [=](auto& w) { w.pod = 1, w.ifindex = web + 1; }, none},
        {"its peer",
         [](auto& w) {
             w.pod = 1;
             std::ranges::copy(ebpfd::IpAddress::parse(db_v4)->bytes, w.address[1]);
         },
         all},
        {"another peer",
         [](auto& w) {
             w.pod = 1;
             std::ranges::copy(ebpfd::IpAddress::parse(scan_v4)->bytes, w.address[3]);
         },
         none},
        {"another pod, but the history", [=](auto& w) { w.pod = 1, w.changes = 1; }, all},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.name);
        ::watch wanted = everything;
        row.change(wanted);
        EXPECT_EQ(told_of_a_visit(wanted), row.told);
    }
}

TEST(Watch, SignsOfLifeAreMadeForThoseWhoWantThem)
{
    for (const bool signs : {false, true}) {
        Bench bench;
        bench.enforce(policies::narrow);
        ::watch wanted{};
        wanted.changes = 1;
        wanted.signs = signs;
        wanted.types = ~0U;
        wanted.verdicts = 0xffff;
        bench.watch(wanted);
        bench.to_web(Packet{}.eth().ipv4(db_v4, web_v4).udp(9, 80));
        bench.from_web(Packet{}.eth().ipv4(web_v4, db_v4).udp(80, 9));
        (void)bench.events();
        bench.age_flows(std::chrono::seconds(20));
        bench.to_web(Packet{}.eth().ipv4(db_v4, web_v4).udp(9, 80));
        EXPECT_EQ(bench.events().size(), signs ? 1u : 0u);
        EXPECT_EQ(bench.losses_of(RING_FLOWS).produced, signs ? 3u : 2u);
    }
}

} // namespace
