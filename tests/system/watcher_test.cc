// SPDX-License-Identifier: Apache-2.0
#include "system/world.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/socket.h>

namespace system_test {
namespace {

using Json = nlohmann::json;

// Clients that follow events and stop reading.
class Watchers : public testing::Test {
protected:
    void SetUp() override
    {
        world_ = World::make(Wiring::routed);
        ASSERT_TRUE(world_);
        world_->describe(Inventory::of(world_->node()));
        ASSERT_TRUE(agent().start()) << agent().process().err();
    }
    Agent& agent() { return world_->agent(); }

    lab::Process follow(const lab::Argv& filters = {})
    {
        lab::Argv argv{EBPFCTL_PROGRAM,
                       "--runtime-dir",
                       agent().runtime(),
                       "--bpffs",
                       agent().bpffs(),
                       "observe",
                       "-f",
                       "-o",
                       "jsonl"};
        argv.insert(argv.end(), filters.begin(), filters.end());
        return lab::Process::start(argv);
    }
    Json loss() { return Json::parse(agent().ask({"stats", "loss", "-o", "json"})); }
    size_t clients() { return loss()["agent"]["clients"].size(); }

    // Each datagram to another port is a flow of its own, at both ends.
    void open_flows(int count, int from = 1)
    {
        const auto socket = lab::Socket::connect(world_->machine("web"), Transport::udp,
                                                 world_->machine("db").at(Family::v4), 1);
        sockaddr_in to{};
        to.sin_family = AF_INET;
        inet_pton(AF_INET, world_->machine("db").at(Family::v4).c_str(), &to.sin_addr);
        for (int port = from; port < from + count; port++) {
            to.sin_port = htons(static_cast<uint16_t>(port));
            (void)sendto(socket.fd(), "x", 1, 0, reinterpret_cast<sockaddr*>(&to), sizeof to);
        }
    }

    std::unique_ptr<World> world_;
};

void expect_adds_up(const Json& tally)
{
    EXPECT_EQ(tally["offered"].get<uint64_t>(),
              tally["filtered"].get<uint64_t>() + tally["queued"].get<uint64_t>() +
                  tally["sent"].get<uint64_t>() + tally["lost"].get<uint64_t>())
        << tally;
}

TEST_F(Watchers, ThatStopReadingAreCutOffAndHurtNobody)
{
    constexpr size_t count = 10;
    std::vector<lab::Process> stopped;
    for (size_t i = 0; i < count; i++)
        stopped.push_back(follow());
    const lab::Process reading = follow({"--to-port", "9999"});
    ASSERT_TRUE(lab::eventually([&] { return clients() == count + 1; }));
    for (const auto& client : stopped)
        client.signal(SIGSTOP);
    open_flows(20'000);
    // What an agent is too slow for is lost in the ring: a flow after the flood is not.
    EXPECT_TRUE(lab::eventually([&] {
        open_flows(1, 9999);
        return reading.out().find("\"port\":9999") != std::string::npos;
    }));
    EXPECT_EQ(agent().ctl({"status"}).exit, exit_ok);
    EXPECT_TRUE(lab::eventually([&] { return loss()["agent"]["gone"]["cut_off"] == count; },
                                std::chrono::seconds(40)));
    const Json after = loss();
    EXPECT_EQ(after["agent"]["clients"].size(), 1u) << after["agent"]["clients"];
    EXPECT_EQ(after["agent"]["clients"][0]["filter"], "to_port=9999");
    EXPECT_EQ(after["agent"]["clients"][0]["lost"], 0);
    expect_adds_up(after["agent"]["clients"][0]);
    EXPECT_EQ(after["agent"]["gone"]["clients"], count);
    EXPECT_GT(after["agent"]["gone"]["lost"], 0);
    expect_adds_up(after["agent"]["gone"]);
}

TEST_F(Watchers, EveryRecordOfTheRingsIsAccountedFor)
{
    open_flows(1000);
    EXPECT_TRUE(lab::eventually([&] {
        const Json now = loss();
        uint64_t delivered = 0;
        for (const auto& ring : now["rings"]) {
            EXPECT_EQ(ring["produced"].get<uint64_t>(), ring["delivered"].get<uint64_t>() +
                                                            ring["suppressed"].get<uint64_t>() +
                                                            ring["lost"].get<uint64_t>());
            delivered += ring["delivered"].get<uint64_t>();
        }
        return delivered >= 2000 && now["agent"]["read"] == delivered;
    }));
}

TEST_F(Watchers, OneTooManyIsToldSo)
{
    ASSERT_EQ(agent().stop(), exit_ok);
    ASSERT_TRUE(agent().start({"--max-watchers", "1"}));
    const lab::Process first = follow();
    ASSERT_TRUE(lab::eventually([&] { return clients() == 1; }));
    lab::Process second = follow();
    EXPECT_EQ(second.wait(), exit_failed);
    EXPECT_NE(second.err().find("--max-watchers"), std::string::npos) << second.err();
}

} // namespace
} // namespace system_test
