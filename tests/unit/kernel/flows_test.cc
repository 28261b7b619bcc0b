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
        uint8_t opener_flags = 0; // of TCP
    };
    void add(const Row& row, flow_class kind = FLOW_ENTRY_LASTING)
    {
        flow_key key{};
        key.ifindex = row.ifindex;
        key.protocol = row.protocol;
        key.peer_port = ++ports_;
        flow value{};
        value.state = static_cast<uint8_t>(row.state);
        value.seen_ns = NOW - row.idle_s * SECOND;
        value.tcp_flags[value.direction] = row.opener_flags;
        value.packets[DIRECTION_EGRESS] = 5;
        value.rule = 3;
        add_flow(bpffs_, key, value, kind);
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
        add(one.row);
        EXPECT_EQ(sweep(), one.swept) << "protocol " << int{one.row.protocol} << ", state "
                                      << one.row.state << ", idle " << one.row.idle_s;
    }
}

TEST_F(Flows, PendingOnesStayForFiveMinutes)
{
    add({IPPROTO_UDP, FLOW_NEW, 299}, FLOW_ENTRY_PENDING);
    EXPECT_EQ(sweep(), 0u);
    add({IPPROTO_UDP, FLOW_NEW, 301}, FLOW_ENTRY_PENDING);
    EXPECT_EQ(sweep(), 1u);
    add({IPPROTO_TCP, FLOW_ESTABLISHED, 299, 1, TCP_SYN}, FLOW_ENTRY_PENDING);
    add({IPPROTO_TCP, FLOW_ESTABLISHED, 301, 1, TCP_SYN | TCP_ACK});
    EXPECT_EQ(sweep(), 0u);
    add({IPPROTO_TCP, FLOW_ESTABLISHED, 301, 1, TCP_SYN}, FLOW_ENTRY_PENDING);
    EXPECT_EQ(sweep(), 1u);
    add({IPPROTO_TCP, FLOW_CLOSED, 11, 1, TCP_SYN}, FLOW_ENTRY_CLOSED);
    EXPECT_EQ(sweep(), 1u);
}

TEST_F(Flows, ACrowdedTableKeepsClosedOnesForOneSecond)
{
    for (int i = 0; i < 192; ++i)
        add({IPPROTO_TCP, FLOW_CLOSED, 2});
    EXPECT_EQ(sweep(), 0u); // three quarters of 256
    add({IPPROTO_TCP, FLOW_CLOSED, 0});
    EXPECT_EQ(sweep(), 192u);
    EXPECT_EQ(value_of(maps_.flows.entries()).size(), 1u);
}

TEST_F(Flows, OnlyEndsThatWereNotReportedAreReported)
{
    add({IPPROTO_TCP, FLOW_CLOSED, 11});
    add({IPPROTO_UDP, FLOW_ESTABLISHED, 181});
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
    add({IPPROTO_UDP, FLOW_ESTABLISHED, 181});
    add({IPPROTO_UDP, FLOW_ESTABLISHED, 0});
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
    add({IPPROTO_TCP, FLOW_ESTABLISHED, 0});
    add({IPPROTO_TCP, FLOW_NEW, 0}, FLOW_ENTRY_PENDING);
    for (const auto& [key, value] : value_of(maps_.flows.entries()))
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
    add({IPPROTO_UDP, FLOW_ESTABLISHED, 0});
    flow_key key{};
    key.ifindex = 1;
    flow value{};
    value.seen_ns = NOW + SECOND;
    add_flow(bpffs_, key, value);
    EXPECT_EQ(sweep(), 0u);
}

TEST_F(Flows, RefusalsAreNoFlowsAndGoWhenNobodyRepeatsThem)
{
    add({IPPROTO_TCP, FLOW_NEW, 9}, FLOW_ENTRY_REFUSED);
    add({IPPROTO_TCP, FLOW_NEW, 11}, FLOW_ENTRY_REFUSED);
    EXPECT_EQ(value_of(maps_.flows.size()), 0u);
    EXPECT_TRUE(value_of(maps_.flows.entries()).empty());
    const auto refusals = [&] {
        size_t count = 0;
        const auto seen = maps_.flows.free_if(
            [&](flow_class kind, const flow_key&, const flow&) {
                count += kind == FLOW_ENTRY_REFUSED;
                return false;
            },
            [](const flow_key&, const flow&) {});
        EXPECT_TRUE(seen);
        return count;
    };
    EXPECT_EQ(refusals(), 2u);
    EXPECT_EQ(sweep(), 0u);
    EXPECT_EQ(refusals(), 1u);
    EXPECT_TRUE(ends_.empty());
}

TEST(FlowTable, HalfOfItsEntriesAreSpare)
{
    EXPECT_EQ(FlowTable::buckets_for(1), 1u);
    EXPECT_EQ(FlowTable::buckets_for(4), 1u);
    EXPECT_EQ(FlowTable::buckets_for(5), 2u);
    EXPECT_EQ(FlowTable::buckets_for(262144), 65536u);
    EXPECT_EQ(FlowTable::buckets_for(262145), 131072u);
    EXPECT_EQ(FlowTable::buckets_for(~0U), 1U << 24);
}
