// SPDX-License-Identifier: Apache-2.0
#include "analysis/containment.h"
#include "analysis/policy_lint.h"
#include "unit/policy/scene.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ebpfd {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

PolicyRule rule(std::vector<PolicyPeer> peers, std::vector<PolicyPort> ports = {},
                rule_action action = ACTION_ALLOW)
{
    return {.peers = std::move(peers), .ports = std::move(ports), .origin = {}, .action = action};
}

TEST(Containment, MoreRequirementsMatchLess)
{
    EXPECT_TRUE(contains(labelled({}), labelled({{"a", "1"}})));
    EXPECT_TRUE(contains(labelled({{"a", "1"}}), labelled({{"a", "1"}, {"b", "2"}})));
    EXPECT_FALSE(contains(labelled({{"a", "1"}, {"b", "2"}}), labelled({{"a", "1"}})));
    EXPECT_FALSE(contains(labelled({{"a", "1"}}), labelled({{"a", "2"}})));
}

TEST(Containment, PodsOfTheOwnNamespaceAreSomeOfAllNamespaces)
{
    EXPECT_TRUE(contains(namespaces({}), pods({{"a", "1"}})));
    EXPECT_TRUE(contains(pods({}), pods({{"a", "1"}})));
    EXPECT_FALSE(contains(pods({}), namespaces({})));
    EXPECT_FALSE(contains(namespaces({{"team", "a"}}), pods({})));
    EXPECT_TRUE(contains(namespaces({{"team", "a"}}), pods_in({{"team", "a"}}, {{"a", "1"}})));
}

TEST(Containment, BlocksMindWhatIsLeftOut)
{
    EXPECT_TRUE(contains(block("10.0.0.0/8"), block("10.1.0.0/16")));
    EXPECT_FALSE(contains(block("10.1.0.0/16"), block("10.0.0.0/8")));
    EXPECT_FALSE(contains(block("0.0.0.0/0"), block("fd00::/8")));
    EXPECT_FALSE(contains(block("10.0.0.0/8", {"10.1.0.0/16"}), block("10.1.2.0/24")));
    EXPECT_FALSE(contains(block("10.0.0.0/8", {"10.1.2.0/24"}), block("10.1.0.0/16")));
    EXPECT_TRUE(
        contains(block("10.0.0.0/8", {"10.1.2.0/24"}), block("10.1.0.0/16", {"10.1.2.0/23"})));
    EXPECT_TRUE(contains(block("10.0.0.0/8", {"10.9.0.0/16"}), block("10.1.0.0/16")));
    EXPECT_FALSE(contains(namespaces({}), block("10.1.0.0/16")));
}

TEST(Containment, RulesByPeersAndPorts)
{
    EXPECT_TRUE(contains(rule({}), rule({pods({})}, {port(80)})));
    EXPECT_FALSE(contains(rule({pods({})}), rule({})));
    EXPECT_FALSE(contains(rule({}, {port(80)}), rule({})));
    EXPECT_TRUE(contains(rule({}, {ports(80, 90)}), rule({}, {port(80), ports(85, 90)})));
    EXPECT_FALSE(contains(rule({}, {ports(80, 90)}), rule({}, {port(80, Protocol::udp)})));
    EXPECT_TRUE(contains(rule({}, {named("http")}), rule({}, {named("http")})));
    EXPECT_FALSE(contains(rule({}, {ports(80, 90)}), rule({}, {named("http")})));
    EXPECT_TRUE(contains(rule({}, {every_port(Protocol::tcp)}), rule({}, {named("http")})));
}

struct PolicyLint : testing::Test {
    Scene scene;

    ClusterPolicy& cluster(const std::string& name, uint32_t priority)
    {
        auto policy = std::make_shared<ClusterPolicy>();
        policy->kind = "ClusterNetworkPolicy";
        policy->name = name;
        policy->priority = priority;
        scene.world.cluster_policies.push_back(policy);
        return *policy;
    }
    // "code policy rule" of each.
    std::vector<std::string> found(bool by_inventory = false) const
    {
        std::vector<std::string> result;
        for (const Finding& one :
             by_inventory ? lint_by_inventory(scene.world) : lint_as_written(scene.world))
            result.push_back(one.code + " " + one.policy + (one.rule.empty() ? "" : " ") +
                             one.rule);
        return result;
    }
};

TEST_F(PolicyLint, ARuleInsideAnEarlierOneIsRedundant)
{
    scene.add(ingress_policy("shop/db", {},
                             Rules()
                                 .rule({block("10.0.0.0/8")}, {ports(80, 90)})
                                 .rule({block("10.1.0.0/16")}, {port(80)})
                                 .rule({block("10.1.0.0/16")}, {port(443)})));
    EXPECT_THAT(found(), ElementsAre("redundant shop/db ingress[1]"));
}

TEST_F(PolicyLint, AnotherPolicyCountsIfItIsForAllOfThePods)
{
    scene.add(ingress_policy("shop/a", {{"app", "db"}}, Rules().rule({pods({})})));
    scene.add(ingress_policy("shop/b", {{"app", "db"}, {"tier", "1"}}, Rules().rule({pods({})})));
    scene.add(ingress_policy("shop/c", {}, Rules().rule({pods({})})));
    scene.add(ingress_policy("ops/d", {{"app", "db"}}, Rules().rule({pods({})})));
    EXPECT_THAT(found(), ElementsAre("redundant shop/b ingress[0]"));
}

TEST_F(PolicyLint, ADenyBeforeAnAllowIsAWarning)
{
    cluster("a", 1).ingress = {rule({namespaces({})}, {}, ACTION_DENY)};
    cluster("b", 2).ingress = {rule({namespaces({{"team", "a"}})}, {port(80)})};
    const auto findings = lint_as_written(scene.world);
    ASSERT_EQ(findings.size(), 1u);
    EXPECT_EQ(findings[0].level, Finding::Level::warning);
    EXPECT_EQ(findings[0].code, "shadowed");
}

TEST_F(PolicyLint, ADryRunShadowsOtherDryRunsAlone)
{
    ClusterPolicy& trial = cluster("a", 1);
    trial.dry_run = true;
    trial.ingress = {rule({namespaces({})}, {}, ACTION_DENY)};
    ClusterPolicy& real = cluster("b", 2);
    real.ingress = {rule({namespaces({})}, {port(80)})};
    EXPECT_THAT(found(), IsEmpty());
    real.dry_run = true;
    EXPECT_THAT(found(), ElementsAre("shadowed ClusterNetworkPolicy/b ingress[0]"));
    trial.dry_run = false;
    EXPECT_THAT(found(), ElementsAre("shadowed ClusterNetworkPolicy/b ingress[0]"));
}

TEST_F(PolicyLint, EqualPrioritiesAreNotedAndOppositeRulesWarnedOf)
{
    cluster("a", 1).ingress = {rule({namespaces({})}, {port(80)}, ACTION_DENY)};
    cluster("b", 1).ingress = {rule({namespaces({})}, {port(81)})};
    EXPECT_THAT(found(), ElementsAre("equal_priority ClusterNetworkPolicy/b"));
    cluster("c", 1).ingress = {rule({namespaces({})}, {ports(80, 81)})};
    EXPECT_THAT(found(), ElementsAre("equal_priority ClusterNetworkPolicy/b",
                                     "equal_priority ClusterNetworkPolicy/c",
                                     "contradiction ClusterNetworkPolicy/c ingress[0]"));
}

TEST_F(PolicyLint, PeersThatAreNotEnforcedAreWarnedOf)
{
    PolicyRule names = rule({});
    names.nobody = true;
    cluster("a", 1).egress = {names};
    EXPECT_THAT(found(), ElementsAre("not_enforced ClusterNetworkPolicy/a egress[0]"));
}

TEST_F(PolicyLint, DoublesAreSaidAndTheLastCounts)
{
    scene.add(ingress_policy("shop/db", {}, Rules().rule({}).rule({})));
    scene.add(ingress_policy("shop/db", {}, Rules().rule({})));
    EXPECT_THAT(found(), ElementsAre("duplicate shop/db"));
}

TEST_F(PolicyLint, TheInventoryTellsWhatIsThere)
{
    scene.pod("shop/db", {{"app", "db"}}, {"10.0.0.1"});
    scene.add(ingress_policy("shop/db", {{"app", "db"}}, Rules().rule({pods({{"app", "wbe"}})})));
    scene.add(ingress_policy("shop/none", {{"app", "bd"}}, Rules().rule({})));
    EXPECT_THAT(found(), IsEmpty());
    EXPECT_THAT(found(true), ElementsAre("no_peer shop/db ingress[0]", "selects_no_pod shop/none"));
}

} // namespace
} // namespace ebpfd
