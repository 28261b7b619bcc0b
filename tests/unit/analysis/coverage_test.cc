// SPDX-License-Identifier: Apache-2.0
#include "analysis/coverage.h"
#include "unit/policy/scene.h"

#include <gtest/gtest.h>

namespace ebpfd {
namespace {

const CoveredRule& rule_of(const Coverage& coverage, const std::string& policy,
                           const std::string& rule)
{
    static const CoveredRule none{};
    for (const CoveredRule& one : coverage.rules)
        if (one.policy_text() == policy && one.rule_text() == rule)
            return one;
    ADD_FAILURE() << policy << " has no " << rule;
    return none;
}

std::string_view fate(const Coverage& coverage, const std::string& policy, const std::string& rule)
{
    return fate_name(rule_of(coverage, policy, rule).fate);
}

std::vector<std::string> shadows(const Coverage& coverage, const std::string& policy,
                                 const std::string& rule)
{
    std::vector<std::string> result;
    for (const size_t other : rule_of(coverage, policy, rule).shadowed_by)
        result.push_back(coverage.rules[other].policy_text() + " " +
                         coverage.rules[other].rule_text());
    return result;
}

using Shadows = std::vector<std::string>;

// web and db of shop on this node, api of ops on another one.
struct CoverageOf : testing::Test {
    Scene scene;

    CoverageOf()
    {
        scene.local("shop/web", {{"app", "web"}}, {"10.0.0.1"});
        scene.local("shop/db", {{"app", "db"}}, {"10.0.0.2"});
        scene.pod("ops/api", {{"app", "api"}}, {"10.0.1.1"});
    }

    ClusterPolicy& cluster(const std::string& name, uint32_t priority, tier in_tier = TIER_ADMIN)
    {
        auto policy = std::make_shared<ClusterPolicy>();
        policy->kind = "ClusterNetworkPolicy";
        policy->name = name;
        policy->priority = priority;
        policy->in_tier = in_tier;
        scene.world.cluster_policies.push_back(policy);
        return *policy;
    }
    static PolicyRule rule(rule_action action, std::vector<PolicyPeer> peers,
                           std::vector<PolicyPort> ports = {})
    {
        return {
            .peers = std::move(peers), .ports = std::move(ports), .origin = {}, .action = action};
    }
    Coverage coverage() const { return cover(scene.world); }
};

TEST_F(CoverageOf, ARuleWithPeersDecidesAndSoDoesItsIsolation)
{
    scene.add(ingress_policy("shop/db", {{"app", "db"}},
                             Rules().rule({pods({{"app", "web"}})}, {port(5432)})));
    const Coverage known = coverage();
    ASSERT_EQ(known.rules.size(), 2u);
    EXPECT_EQ(fate(known, "shop/db", "ingress[0]"), "decides");
    EXPECT_EQ(fate(known, "shop/db", "isolation"), "decides");
    EXPECT_EQ(rule_of(known, "shop/db", "ingress[0]").local_pods, 1u);
}

TEST_F(CoverageOf, APolicyThatSelectsNobodyIsToldFromOneForOtherNodes)
{
    scene.add(ingress_policy("shop/none", {{"app", "wbe"}}, Rules().rule({})));
    scene.add(ingress_policy("ops/api", {{"app", "api"}}, Rules().rule({pods({})})));
    const Coverage known = coverage();
    EXPECT_EQ(fate(known, "shop/none", "ingress[0]"), "selects_no_pod");
    EXPECT_EQ(fate(known, "shop/none", "isolation"), "selects_no_pod");
    EXPECT_EQ(fate(known, "ops/api", "ingress[0]"), "not_on_this_node");
    EXPECT_EQ(fate(known, "ops/api", "isolation"), "not_on_this_node");
}

TEST_F(CoverageOf, NamedPortsNeedAPodThatHasThem)
{
    scene.add(ingress_policy("shop/db", {{"app", "db"}}, Rules().rule({}, {named("psql")})));
    scene.add(egress_policy("shop/web", {{"app", "web"}},
                            Rules().rule({pods({{"app", "db"}})}, {named("psql")})));
    EXPECT_EQ(fate(coverage(), "shop/db", "ingress[0]"), "unresolved_port");
    EXPECT_EQ(fate(coverage(), "shop/web", "egress[0]"), "unresolved_port");

    scene.local("shop/psql", {{"app", "db"}}, {"10.0.0.3"}).ports = {{"psql", Protocol::tcp, 5432}};
    EXPECT_EQ(fate(coverage(), "shop/db", "ingress[0]"), "decides");
    EXPECT_EQ(fate(coverage(), "shop/web", "egress[0]"), "decides");
}

TEST_F(CoverageOf, PeersThatNobodyIsAreNone)
{
    scene.add(
        ingress_policy("shop/db", {{"app", "db"}},
                       Rules().rule({pods({{"app", "wbe"}})}).rule({namespaces({{"a", "b"}})})));
    EXPECT_EQ(fate(coverage(), "shop/db", "ingress[0]"), "no_peer");
    EXPECT_EQ(fate(coverage(), "shop/db", "ingress[1]"), "no_peer");
}

TEST_F(CoverageOf, AWiderRuleShadowsANarrowerOne)
{
    scene.add(ingress_policy("shop/db", {{"app", "db"}},
                             Rules()
                                 .rule({block("10.0.0.0/8")}, {ports(5000, 6000)})
                                 .rule({block("10.1.0.0/16")}, {port(5432)})
                                 .rule({block("10.1.0.0/16")}, {port(80), port(5432)})));
    EXPECT_EQ(fate(coverage(), "shop/db", "ingress[1]"), "shadowed");
    EXPECT_EQ(shadows(coverage(), "shop/db", "ingress[1]"), Shadows{"shop/db ingress[0]"});
    EXPECT_EQ(fate(coverage(), "shop/db", "ingress[2]"), "decides");
}

TEST_F(CoverageOf, SeveralRulesShadowOneTogether)
{
    scene.add(ingress_policy(
        "shop/a", {{"app", "db"}},
        Rules().rule({block("10.0.0.0/9")}, {port(80)}).rule({block("10.128.0.0/9")})));
    scene.add(
        ingress_policy("shop/b", {{"app", "db"}}, Rules().rule({block("10.0.0.0/8")}, {port(80)})));
    EXPECT_EQ(shadows(coverage(), "shop/b", "ingress[0]"),
              (Shadows{"shop/a ingress[0]", "shop/a ingress[1]"}));
}

TEST_F(CoverageOf, AnExceptedAddressKeepsARuleAlive)
{
    scene.add(ingress_policy(
        "shop/db", {{"app", "db"}},
        Rules().rule({block("10.0.0.0/8", {"10.9.9.9/32"})}).rule({block("10.0.0.0/8")})));
    EXPECT_EQ(fate(coverage(), "shop/db", "ingress[1]"), "decides");
}

TEST_F(CoverageOf, ThePodsInsideABlockAreShadowedBySelectors)
{
    scene.add(ingress_policy(
        "shop/db", {{"app", "db"}},
        Rules().rule({namespaces({})}).rule({block("10.0.1.1/32")}).rule({block("10.0.1.0/31")})));
    EXPECT_EQ(shadows(coverage(), "shop/db", "ingress[1]"), Shadows{"shop/db ingress[0]"});
    EXPECT_EQ(fate(coverage(), "shop/db", "ingress[2]"), "decides"); // 10.0.1.0 is nobody's
}

TEST_F(CoverageOf, AllOfBothFamiliesIsEverything)
{
    scene.add(ingress_policy("shop/db", {{"app", "db"}},
                             Rules().rule({block("0.0.0.0/0"), block("::/0")}).rule({})));
    EXPECT_EQ(fate(coverage(), "shop/db", "ingress[1]"), "shadowed");
    EXPECT_EQ(fate(coverage(), "shop/db", "isolation"), "shadowed");
}

TEST_F(CoverageOf, HalvesOfAllAddressesAreEverythingToo)
{
    scene.add(egress_policy(
        "shop/db", {{"app", "db"}},
        Rules().rule({block("::/0")}).rule({block("0.0.0.0/1"), block("128.0.0.0/1")}).rule({})));
    EXPECT_EQ(fate(coverage(), "shop/db", "egress[1]"), "decides");
    EXPECT_EQ(fate(coverage(), "shop/db", "egress[2]"), "shadowed");
}

TEST_F(CoverageOf, AnAdminDenyShadowsWhatNamespacesAllow)
{
    cluster("guard", 1).ingress = {rule(ACTION_DENY, {namespaces({})}, {port(80)})};
    scene.add(ingress_policy("shop/db", {{"app", "db"}},
                             Rules().rule({pods({})}, {port(80)}).rule({pods({})}, {port(81)})));
    EXPECT_EQ(shadows(coverage(), "shop/db", "ingress[0]"),
              Shadows{"ClusterNetworkPolicy/guard ingress[0]"});
    EXPECT_EQ(fate(coverage(), "shop/db", "ingress[1]"), "decides");
}

TEST_F(CoverageOf, PassDecidesAndShadowsTheRestOfItsTierAlone)
{
    cluster("first", 1).ingress = {rule(ACTION_PASS, {namespaces({})})};
    cluster("second", 2).ingress = {rule(ACTION_DENY, {namespaces({})}, {port(80)})};
    scene.add(ingress_policy("shop/db", {{"app", "db"}}, Rules().rule({pods({})}, {port(80)})));
    EXPECT_EQ(fate(coverage(), "ClusterNetworkPolicy/first", "ingress[0]"), "decides");
    EXPECT_EQ(shadows(coverage(), "ClusterNetworkPolicy/second", "ingress[0]"),
              Shadows{"ClusterNetworkPolicy/first ingress[0]"});
    EXPECT_EQ(fate(coverage(), "shop/db", "ingress[0]"), "decides");
}

TEST_F(CoverageOf, IsolationShadowsTheBaselineOfItsPods)
{
    ClusterPolicy& base = cluster("base", 1, TIER_BASELINE);
    base.pods = labelled({{"app", "db"}});
    base.ingress = {rule(ACTION_DENY, {namespaces({})})};
    EXPECT_EQ(fate(coverage(), "ClusterNetworkPolicy/base", "ingress[0]"), "decides");
    scene.add(ingress_policy("shop/db", {{"app", "db"}}, Rules()));
    EXPECT_EQ(shadows(coverage(), "ClusterNetworkPolicy/base", "ingress[0]"),
              Shadows{"shop/db isolation"});
}

TEST_F(CoverageOf, PeersThatAreNotEnforcedAreSaidToBe)
{
    PolicyRule names = rule(ACTION_ALLOW, {});
    names.nobody = true;
    cluster("names", 1).egress = {names};
    EXPECT_EQ(fate(coverage(), "ClusterNetworkPolicy/names", "egress[0]"), "not_enforced");
}

TEST_F(CoverageOf, EqualPrioritiesContradictOnlyWhereTheyMeet)
{
    cluster("a", 5).ingress = {rule(ACTION_DENY, {namespaces({})}, {port(80)})};
    cluster("b", 5).ingress = {rule(ACTION_ALLOW, {namespaces({})}, {port(81)})};
    EXPECT_TRUE(coverage().contradictions.empty());
    cluster("c", 5).ingress = {rule(ACTION_ALLOW, {pods({}), namespaces({})}, {ports(80, 90)})};
    const Coverage known = coverage();
    ASSERT_EQ(known.contradictions.size(), 1u);
    EXPECT_EQ(known.rules[known.contradictions[0].decides].policy, "a");
    EXPECT_EQ(known.rules[known.contradictions[0].loses].policy, "c");
}

TEST_F(CoverageOf, APodThatMayTalkToNobodyIsNoFault)
{
    scene.add(ingress_policy("shop/db", {{"app", "db"}}, Rules()));
    const Coverage known = coverage();
    ASSERT_EQ(known.rules.size(), 1u);
    EXPECT_EQ(fate(known, "shop/db", "isolation"), "decides");
}

TEST_F(CoverageOf, NothingIsSaidOfRulesThatDoNotFit)
{
    Rules many;
    for (uint16_t number = 0; number < RULES_MAX; ++number)
        many.rule({}, {port(number)});
    scene.add(ingress_policy("ops/api", {{"app", "api"}}, many.rule({}, {port(1)})));
    const Coverage known = coverage();
    EXPECT_EQ(fate(known, "ops/api", "ingress[512]"), "not_on_this_node");
    ASSERT_EQ(known.warnings.size(), 1u);
    EXPECT_NE(known.warnings[0].find("ops/api"), std::string::npos);
}

} // namespace
} // namespace ebpfd
