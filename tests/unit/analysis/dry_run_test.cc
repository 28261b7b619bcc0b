// SPDX-License-Identifier: Apache-2.0
#include "analysis/plan_judge.h"
#include "unit/policy/scene.h"

#include <gtest/gtest.h>

namespace ebpfd {
namespace {

NetworkPolicy rehearsed(NetworkPolicy policy)
{
    policy.dry_run = true;
    return policy;
}

// What becomes of web's connection to db, and what a dry run would make of it.
struct Both {
    bool allowed = true;
    bool would_turn = false;
    std::string rule = {};    // in force
    std::string watcher = {}; // that would turn it
    bool operator==(const Both&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Both& both)
{
    return out << (both.allowed ? "allowed by '" : "denied by '") << both.rule << "'"
               << (both.would_turn ? ", turned by '" + both.watcher + "'" : "");
}

std::string name_of(const PlanRule* rule)
{
    if (rule == nullptr)
        return "";
    return rule->policy +
           (rule->kind == RULE_ISOLATION ? "" : "[" + std::to_string(rule->index) + "]");
}

class DryRunPlan : public testing::Test {
protected:
    void SetUp() override
    {
        scene_.local("shop/db", {{"app", "db"}}, {"10.0.0.1"});
        scene_.pod("shop/web", {{"app", "web"}}, {"10.0.0.2"});
    }
    void add(ClusterPolicy policy)
    {
        scene_.world.cluster_policies.push_back(std::make_shared<ClusterPolicy>(std::move(policy)));
    }
    void guard(rule_action action, tier in_tier, bool dry_run)
    {
        ClusterPolicy policy;
        policy.kind = "ClusterNetworkPolicy";
        policy.name = dry_run ? "rehearsed-guard" : "guard";
        policy.in_tier = in_tier;
        policy.dry_run = dry_run;
        policy.ingress.push_back({.peers = {namespaces({})}, .ports = {}, .origin = {}});
        policy.ingress.back().action = action;
        add(std::move(policy));
    }
    Both web(uint16_t port = 80)
    {
        const Plan plan = scene_.plan();
        const PlanDecision decision =
            PlanJudge(plan).judge({.ifindex = plan.endpoints.front().ifindex,
                                   .dir = DIRECTION_INGRESS,
                                   .pod = ip("10.0.0.1"),
                                   .peer = ip("10.0.0.2"),
                                   .protocol = 6,
                                   .port = port});
        return {decision.allows(), decision.watcher != nullptr, name_of(decision.rule),
                name_of(decision.watcher)};
    }

    Scene scene_;
};

TEST_F(DryRunPlan, IsolatesNobodyAndTellsWhatItWouldRefuse)
{
    scene_.add(rehearsed(ingress_policy("shop/trial", {{"app", "db"}},
                                        Rules{}.rule({pods({{"app", "web"}})}, {port(80)}))));
    EXPECT_EQ(web(80), (Both{true, false}));
    EXPECT_EQ(web(81), (Both{true, true, "", "trial"}));
}

TEST_F(DryRunPlan, AddsToWhatIsInForceAndIsNoPartOfItsIsolation)
{
    scene_.add(ingress_policy("shop/a-closed", {{"app", "db"}}, {}));
    scene_.add(
        rehearsed(ingress_policy("shop/trial", {{"app", "db"}}, Rules{}.rule({}, {port(80)}))));
    EXPECT_EQ(web(80), (Both{false, true, "a-closed", "trial[0]"}));
    EXPECT_EQ(web(81), (Both{false, false, "a-closed"}));
}

TEST_F(DryRunPlan, BaselineGoesOnWhereOnlyADryRunIsolates)
{
    guard(ACTION_DENY, TIER_BASELINE, false);
    scene_.add(
        rehearsed(ingress_policy("shop/trial", {{"app", "db"}}, Rules{}.rule({}, {port(80)}))));
    EXPECT_EQ(web(80), (Both{false, true, "guard[0]", "trial[0]"}));
    EXPECT_EQ(web(81), (Both{false, false, "guard[0]"}));
}

TEST_F(DryRunPlan, ARehearsedPassIsWhatTurnsIt)
{
    guard(ACTION_PASS, TIER_ADMIN, true);
    guard(ACTION_DENY, TIER_ADMIN, false);
    // Of equal priority, "guard" would come first by its name.
    auto pass = std::make_shared<ClusterPolicy>(*scene_.world.cluster_policies.front());
    auto deny = std::make_shared<ClusterPolicy>(*scene_.world.cluster_policies.back());
    deny->priority = 7;
    scene_.world.cluster_policies = {pass, deny};
    EXPECT_EQ(web(), (Both{false, true, "guard[0]", "rehearsed-guard[0]"}));
}

TEST_F(DryRunPlan, WhatTheRehearsalAgreesWithIsNotTold)
{
    guard(ACTION_DENY, TIER_ADMIN, true);
    scene_.add(ingress_policy("shop/closed", {{"app", "db"}}, {}));
    EXPECT_EQ(web(), (Both{false, false, "closed"}));
}

TEST_F(DryRunPlan, InAuditModeAllPoliciesAreAlike)
{
    scene_.add(rehearsed(ingress_policy("shop/trial", {{"app", "db"}}, {})));
    scene_.world.audit = true;
    EXPECT_EQ(web(), (Both{false, false, "trial"}));
}

TEST_F(DryRunPlan, ChangingTheModeMakesAnotherRuleOfIt)
{
    scene_.add(ingress_policy("shop/trial", {{"app", "db"}}, {}));
    const Plan enforced = scene_.plan();
    scene_.world.policies = {std::make_shared<NetworkPolicy>(
        rehearsed(ingress_policy("shop/trial", {{"app", "db"}}, {})))};
    const Plan watching = scene_.plan();
    EXPECT_NE(enforced.rulesets.front().key, watching.rulesets.front().key);
    EXPECT_NE(enforced.rules.front().key, watching.rules.front().key);
}

} // namespace
} // namespace ebpfd
