// SPDX-License-Identifier: Apache-2.0
#include "datapath/bench.h"
#include "datapath/policies.h"

#include <algorithm>
#include <gtest/gtest.h>

using namespace bench;
using namespace lab;

namespace {

constexpr Judged would_be_denied{VERDICT_WOULD_DENY, REASON_DENIED};
constexpr Judged would_be_allowed{VERDICT_WOULD_ALLOW, REASON_RULE};

std::string dry_run(std::string policy)
{
    return policy.replace(policy.find("namespace: shop"), 0,
                          "annotations: {ebpfd.io/mode: dry-run}, ");
}

std::string both(const std::string& one, const std::string& other)
{
    return one + "---" + other;
}

Packet knock(uint16_t from, uint16_t to, uint8_t flags = SYN)
{
    return Packet{}.eth().ipv4(db_v4, web_v4).tcp(from, to, flags);
}
Packet answer(uint16_t from, uint16_t to, uint8_t flags = SYN | ACK)
{
    return Packet{}.eth().ipv4(web_v4, db_v4).tcp(from, to, flags);
}

std::string rule_name(Bench& bench, uint32_t number)
{
    const auto rules = *bench.maps().rules();
    const auto found = rules.find(number);
    return found == rules.end() ? "" : found->second.policy;
}

TEST(DryRun, JudgesAsIfItWereNotThereAndTellsWhatItWouldCut)
{
    Bench bench;
    bench.enforce(dry_run(policies::narrow));
    EXPECT_EQ(bench.to_web(knock(1000, 80)), allowed_by(REASON_NO_POLICY));
    EXPECT_EQ(bench.to_web(knock(1000, 81)), would_be_denied);
    const auto events = bench.events();
    ASSERT_EQ(events.size(), 3u); // what would be refused; and both opened
    const auto told = std::ranges::find(events, EVENT_DROP, &event::type);
    ASSERT_NE(told, events.end());
    EXPECT_EQ(told->verdict, VERDICT_WOULD_DENY);
    EXPECT_EQ(rule_name(bench, told->rule), "narrow");
    EXPECT_EQ(told->enforced_rule, 0u); // nothing isolates
    const auto rules = *bench.maps().rules();
    EXPECT_EQ(rules.at(told->rule).dry_run, 1);
    const auto hits = *bench.maps().hits(told->rule);
    EXPECT_EQ(hits.denied, 1u);
    EXPECT_GT(hits.last_ns, 0u);
}

TEST(DryRun, TellsWhatItWouldAllowAndWhichRuleRefusesIt)
{
    Bench bench;
    bench.enforce(both(policies::closed_ingress, dry_run(policies::narrow)));
    EXPECT_EQ(bench.to_web(knock(1000, 80)), would_be_allowed);
    EXPECT_EQ(bench.to_web(knock(1000, 81)), denied_by(REASON_DENIED));
    const auto events = bench.events();
    ASSERT_EQ(events.size(), 2u);
    EXPECT_EQ(events[0].verdict, VERDICT_WOULD_ALLOW);
    EXPECT_EQ(rule_name(bench, events[0].rule), "narrow");
    EXPECT_EQ(rule_name(bench, events[0].enforced_rule), "closed-ingress");
    EXPECT_EQ(bench.maps().hits(events[0].rule)->allowed, 1u);
    EXPECT_EQ(bench.maps().hits(events[0].enforced_rule)->denied, 2u);
    EXPECT_EQ(events[1].verdict, VERDICT_DENY);
    EXPECT_EQ(events[1].enforced_rule, 0u);
    EXPECT_TRUE(bench.flows().empty()); // a refusal, whatever would be
}

TEST(DryRun, AnOpenConnectionGoesOnAndTellsOnceThatItWouldBeCut)
{
    Bench bench;
    bench.enforce(policies::none);
    bench.to_web(knock(1000, 81));
    bench.from_web(answer(81, 1000));
    (void)bench.events();
    bench.enforce(dry_run(policies::narrow));
    for (int i = 0; i < 5; i++)
        EXPECT_EQ(bench.to_web(knock(1000, 81, ACK)), would_be_denied);
    EXPECT_EQ(bench.from_web(answer(81, 1000, ACK)), would_be_denied);
    const auto events = bench.events();
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].type, EVENT_DROP);
    EXPECT_EQ(events[0].verdict, VERDICT_WOULD_DENY);
    const auto flow = bench.flows().at(0).second;
    EXPECT_EQ(flow.verdict, VERDICT_WOULD_DENY);
    EXPECT_EQ(flow.packets[DIRECTION_INGRESS], 6u);
    // In earnest, the next packet is refused; and back again it passes.
    bench.enforce(policies::narrow);
    EXPECT_EQ(bench.to_web(knock(1000, 81, ACK)), denied_by(REASON_DENIED));
    const auto cut = bench.flows().at(0).second;
    EXPECT_EQ(bench.to_web(knock(1000, 81, ACK)), denied_by(REASON_DENIED));
    EXPECT_EQ(bench.maps().hits(cut.rule)->denied, 1u); // once, as of the connection
    bench.enforce(dry_run(policies::narrow));
    EXPECT_EQ(bench.to_web(knock(1000, 81, ACK)), would_be_denied);
}

TEST(DryRun, ErrorsAboutAConnectionTellNothingInItsPlace)
{
    Bench bench;
    bench.enforce(policies::none);
    bench.to_web(knock(1000, 81));
    const auto sent = answer(81, 1000);
    bench.from_web(sent);
    (void)bench.events();
    bench.enforce(dry_run(policies::narrow));
    for (int i = 0; i < 3; i++)
        EXPECT_EQ(bench.to_web(
                      Packet{}.eth().ipv4(outside_v4, web_v4).unreachable(from_ip(sent.bytes()))),
                  allowed_by(REASON_ICMP_ERROR));
    EXPECT_TRUE(bench.events().empty());
    const auto rules = *bench.maps().rules();
    for (const auto& [number, rule] : rules)
        EXPECT_EQ(bench.maps().hits(number)->denied, 0u) << rule.policy;
    EXPECT_EQ(bench.to_web(knock(1000, 81, ACK)), would_be_denied);
    EXPECT_EQ(bench.events().size(), 1u);
}

TEST(DryRun, FramesThatOnlyIsolationRefusesPass)
{
    Bench bench;
    const auto stranger = Packet{}.eth().ethertype(0x88cc);
    bench.enforce(dry_run(policies::closed));
    EXPECT_EQ(bench.to_web(stranger), (Judged{VERDICT_WOULD_DENY, REASON_NOT_IP}));
    bench.enforce(both(policies::closed_ingress, dry_run(policies::narrow)));
    EXPECT_EQ(bench.to_web(stranger), denied_by(REASON_NOT_IP));
}

} // namespace
