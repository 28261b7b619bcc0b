// SPDX-License-Identifier: Apache-2.0
#include "analysis/plan_judge.h"
#include "unit/policy/scene.h"

#include <gtest/gtest.h>

namespace ebpfd {
namespace {

// shop/web of the node 10.0.0.1, which nobody but shop/db may reach.
struct PlanJudging : testing::Test {
    Scene scene;

    PlanJudging()
    {
        scene.local("shop/web", {{"app", "web"}}, {"10.1.0.10"});
        scene.pod("shop/db", {{"app", "db"}}, {"10.1.0.20"});
        scene.world.node_addresses.insert(ip("10.0.0.1"));
        scene.add(
            ingress_policy("shop/web", {{"app", "web"}}, Rules{}.rule({pods({{"app", "db"}})})));
    }
    reason why(direction dir, std::string_view own, std::string_view peer, bool believed)
    {
        const Plan plan = scene.plan();
        return PlanJudge(plan)
            .judge({.ifindex = scene.world.interfaces.at(0).ifindex,
                    .dir = dir,
                    .pod = ip(own),
                    .peer = ip(peer),
                    .port = 80,
                    .believed = believed})
            .why;
    }
};

TEST_F(PlanJudging, ANodesAddressIsTheNodesOnlyIfBelieved)
{
    EXPECT_EQ(why(DIRECTION_INGRESS, "10.1.0.10", "10.0.0.1", true), REASON_NODE);
    EXPECT_EQ(why(DIRECTION_INGRESS, "10.1.0.10", "10.0.0.1", false), REASON_DENIED);
}

TEST_F(PlanJudging, APodReachesItselfOnlyIfBelieved)
{
    EXPECT_EQ(why(DIRECTION_INGRESS, "10.1.0.10", "10.1.0.10", true), REASON_SELF);
    EXPECT_EQ(why(DIRECTION_INGRESS, "10.1.0.10", "10.1.0.10", false), REASON_DENIED);
}

TEST_F(PlanJudging, LinkLocalSourcesAreNobodysName)
{
    EXPECT_EQ(why(DIRECTION_EGRESS, "169.254.7.7", "10.1.0.20", true), REASON_NO_POLICY);
    EXPECT_EQ(why(DIRECTION_EGRESS, "0.0.0.0", "10.1.0.20", true), REASON_NO_POLICY);
    EXPECT_EQ(why(DIRECTION_EGRESS, "192.0.2.7", "10.1.0.20", true), REASON_SPOOFED);
    EXPECT_EQ(why(DIRECTION_EGRESS, "fd00::7", "10.1.0.20", true), REASON_NO_POLICY);
}

TEST_F(PlanJudging, TheRuleThatDecidesIsNamed)
{
    const Plan plan = scene.plan();
    const PlanJudge judge(plan);
    PlanQuestion question{.ifindex = scene.world.interfaces.at(0).ifindex,
                          .pod = ip("10.1.0.10"),
                          .peer = ip("10.1.0.20"),
                          .port = 80};
    ASSERT_NE(judge.judge(question).rule, nullptr);
    EXPECT_EQ(judge.judge(question).rule->kind, RULE_NETWORK_POLICY);
    question.peer = ip("10.1.0.30");
    ASSERT_NE(judge.judge(question).rule, nullptr);
    EXPECT_EQ(judge.judge(question).rule->kind, RULE_ISOLATION);
}

TEST_F(PlanJudging, AnInterfaceWithoutAnEndpointIsClosed)
{
    const Plan plan = scene.plan();
    const PlanDecision decision = PlanJudge(plan).judge({.ifindex = 4711});
    EXPECT_FALSE(decision.allows());
    EXPECT_EQ(decision.why, REASON_UNKNOWN_POD);
}

} // namespace
} // namespace ebpfd
