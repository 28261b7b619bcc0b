// SPDX-License-Identifier: Apache-2.0
#include "datapath/bench.h"
#include "datapath/policies.h"

#include <algorithm>
#include <gtest/gtest.h>

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
    const auto ring = bench.losses().ring[RING_REFUSALS];
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
    const auto ring = bench.losses().ring[RING_REFUSALS];
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
    EXPECT_EQ(bench.losses().ring[RING_FLOWS].lost, 0u);
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
    bench.to_web(Packet{}.eth().ipv4(db_v4, web_v4).tcp(9, 80, RST));
    EXPECT_EQ(bench.flows().at(0).second.closer, CLOSER_PEER);
    bench.from_web(Packet{}.eth().ipv4(web_v4, db_v4).tcp(80, 9, ACK));
    EXPECT_EQ(bench.flows().at(0).second.closer, CLOSER_NONE);
}

} // namespace
