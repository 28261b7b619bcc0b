// SPDX-License-Identifier: Apache-2.0
#include "bpffs.h"
#include "kernel/flows.h"

#include <netinet/in.h>

using namespace ebpfd;

namespace {

constexpr uint64_t SECOND = 1'000'000'000;
constexpr uint64_t NOW = 100'000 * SECOND;

class Flows : public testing::Test {
protected:
    void SetUp() override
    {
        ASSERT_TRUE(open_datapath(bpffs_));
        maps_ = value_of(Maps::open(bpffs_.maps()));
    }
    struct Row {
        uint8_t protocol = IPPROTO_TCP;
        flow_state state = FLOW_ESTABLISHED;
        uint64_t idle_s = 0;
        uint32_t ifindex = 1;
    };
    void add(const Map<flow_key, flow>& map, const Row& row)
    {
        flow_key key{};
        key.ifindex = row.ifindex;
        key.protocol = row.protocol;
        key.peer_port = ++ports_;
        flow value{};
        value.state = static_cast<uint8_t>(row.state);
        value.seen_ns = NOW - row.idle_s * SECOND;
        value.packets[DIRECTION_EGRESS] = 5;
        value.rule = 3;
        ASSERT_TRUE(map.update(key, value));
    }
    size_t sweep()
    {
        return value_of(
            sweep_flows(maps_, {.now_ns = NOW,
                                .has_endpoint = [](uint32_t i) { return i == 1; },
                                .closed = [&](const event& e) { ends_.push_back(e); }}));
    }

    Bpffs bpffs_;
    Maps maps_;
    std::vector<event> ends_;
    uint16_t ports_ = 0;
};

} // namespace

TEST_F(Flows, IdleOnesGoByTheirKind)
{
    struct Case {
        Row row;
        size_t swept;
    };
    const std::vector<Case> cases{
        {{IPPROTO_TCP, FLOW_ESTABLISHED, 6 * 3600 - 1}, 0},
        {{IPPROTO_TCP, FLOW_ESTABLISHED, 6 * 3600 + 1}, 1},
        {{IPPROTO_TCP, FLOW_CLOSING, 60}, 0},
        {{IPPROTO_TCP, FLOW_CLOSED, 9}, 0},
        {{IPPROTO_TCP, FLOW_CLOSED, 11}, 1},
        {{IPPROTO_UDP, FLOW_ESTABLISHED, 179}, 0},
        {{IPPROTO_UDP, FLOW_ESTABLISHED, 181}, 1},
        {{IPPROTO_SCTP, FLOW_ESTABLISHED, 181}, 1},
        {{IPPROTO_ICMP, FLOW_ESTABLISHED, 29}, 0},
        {{IPPROTO_ICMP, FLOW_ESTABLISHED, 31}, 1},
        {{IPPROTO_ICMPV6, FLOW_ESTABLISHED, 31}, 1},
        {{IPPROTO_TCP, FLOW_ESTABLISHED, 0, 2}, 1}, // no endpoint
    };
    for (const auto& one : cases) {
        add(maps_.flows, one.row);
        EXPECT_EQ(sweep(), one.swept) << "protocol " << int{one.row.protocol} << ", state "
                                      << one.row.state << ", idle " << one.row.idle_s;
    }
}

TEST_F(Flows, PendingOnesStayForFiveMinutes)
{
    add(maps_.pending, {IPPROTO_UDP, FLOW_NEW, 299});
    EXPECT_EQ(sweep(), 0u);
    add(maps_.pending, {IPPROTO_UDP, FLOW_NEW, 301});
    EXPECT_EQ(sweep(), 1u);
}

TEST_F(Flows, ACrowdedTableKeepsClosedOnesForOneSecond)
{
    for (int i = 0; i < 192; ++i)
        add(maps_.flows, {IPPROTO_TCP, FLOW_CLOSED, 2});
    EXPECT_EQ(sweep(), 0u); // three quarters of 256
    add(maps_.flows, {IPPROTO_TCP, FLOW_CLOSED, 0});
    EXPECT_EQ(sweep(), 192u);
    EXPECT_EQ(value_of(maps_.flows.entries()).size(), 1u);
}

TEST_F(Flows, OnlyEndsThatWereNotReportedAreReported)
{
    add(maps_.flows, {IPPROTO_TCP, FLOW_CLOSED, 11});
    add(maps_.flows, {IPPROTO_UDP, FLOW_ESTABLISHED, 181});
    EXPECT_EQ(sweep(), 2u);
    ASSERT_EQ(ends_.size(), 1u);
    EXPECT_EQ(ends_[0].type, EVENT_FLOW_CLOSE);
    EXPECT_EQ(ends_[0].key.protocol, IPPROTO_UDP);
    EXPECT_EQ(ends_[0].packets[DIRECTION_EGRESS], 5u);
    EXPECT_EQ(ends_[0].rule, 3u);
    EXPECT_EQ(ends_[0].state, FLOW_CLOSED);
    EXPECT_EQ(ends_[0].time_ns, NOW);
    EXPECT_EQ(ends_[0].seen_ns, NOW - 181 * SECOND);
    EXPECT_EQ(ends_[0].closer, CLOSER_TIMEOUT);
}

TEST_F(Flows, HealthGoesWithItsFlowAndStandsInItsLastRecord)
{
    add(maps_.flows, {IPPROTO_UDP, FLOW_ESTABLISHED, 181});
    add(maps_.flows, {IPPROTO_UDP, FLOW_ESTABLISHED, 0});
    for (const auto& [key, value] : value_of(maps_.flows.entries())) {
        health known{};
        known.drops = value.seen_ns == NOW ? 1 : 2;
        known.drop_reason = 6;
        ASSERT_TRUE(maps_.healths.update(key, known));
    }
    EXPECT_EQ(sweep(), 1u);
    ASSERT_EQ(ends_.size(), 1u);
    EXPECT_EQ(ends_[0].health.drops, 2u);
    EXPECT_EQ(ends_[0].health.drop_reason, 6u);
    const auto left = value_of(maps_.healths.entries());
    ASSERT_EQ(left.size(), 1u);
    EXPECT_EQ(left[0].second.drops, 1u);
}

TEST_F(Flows, HealthWhoseFlowMadeRoomForAnotherIsForgotten)
{
    add(maps_.flows, {IPPROTO_TCP, FLOW_ESTABLISHED, 0});
    add(maps_.pending, {IPPROTO_TCP, FLOW_NEW, 0});
    for (const auto* map : {&maps_.flows, &maps_.pending})
        for (const auto& [key, value] : value_of(map->entries()))
            ASSERT_TRUE(maps_.healths.update(key, health{}));
    flow_key stray{};
    stray.pod_port = 77;
    ASSERT_TRUE(maps_.healths.update(stray, health{}));
    EXPECT_EQ(sweep(), 0u);
    EXPECT_EQ(value_of(maps_.healths.entries()).size(), 2u);
    EXPECT_FALSE(value_of(maps_.healths.lookup(stray)));
}

TEST_F(Flows, AFlowSeenAfterTheClockWasReadStays)
{
    add(maps_.flows, {IPPROTO_UDP, FLOW_ESTABLISHED, 0});
    flow_key key{};
    key.ifindex = 1;
    flow value{};
    value.seen_ns = NOW + SECOND;
    ASSERT_TRUE(maps_.flows.update(key, value));
    EXPECT_EQ(sweep(), 0u);
}
