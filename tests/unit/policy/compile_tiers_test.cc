// SPDX-License-Identifier: Apache-2.0
#include "unit/policy/scene.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ebpfd {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

PolicyRule act(rule_action action, std::vector<PolicyPeer> peers,
               std::vector<PolicyPort> ports = {})
{
    return {.peers = std::move(peers), .ports = std::move(ports), .origin = {}, .action = action};
}

// For every pod, with these ingress rules.
ClusterPolicy for_all(const std::string& name, tier in_tier, uint32_t priority,
                      std::vector<PolicyRule> rules)
{
    ClusterPolicy policy;
    policy.kind = "ClusterNetworkPolicy";
    policy.name = name;
    policy.in_tier = in_tier;
    policy.priority = priority;
    policy.ingress = std::move(rules);
    policy.origin = {name + ".yaml", 1, 1};
    return policy;
}

const PolicyPeer EVERY_POD = namespaces({});

// web and db of shop, api of ops; db is asked.
class Tiers : public testing::Test {
protected:
    void SetUp() override
    {
        scene_.local("shop/db", {{"app", "db"}}, {"10.0.0.1"});
        scene_.pod("shop/web", {{"app", "web"}}, {"10.0.0.2"});
        scene_.pod("ops/api", {{"app", "api"}}, {"10.0.0.3"});
        scene_.describe_namespace("ops", {{"team", "ops"}});
    }
    void add(ClusterPolicy policy)
    {
        scene_.world.cluster_policies.push_back(std::make_shared<ClusterPolicy>(std::move(policy)));
    }
    Outcome web(uint16_t port = 80) { return to_pod(scene_.plan(), "shop/db", "10.0.0.2", port); }
    Outcome api(uint16_t port = 80) { return to_pod(scene_.plan(), "shop/db", "10.0.0.3", port); }

    Scene scene_;
};

TEST_F(Tiers, NobodyIsIsolatedByAClusterPolicyAlone)
{
    add(for_all("guard", TIER_ADMIN, 1, {act(ACTION_DENY, {namespaces({{"team", "ops"}})})}));
    EXPECT_EQ(api(), denied_by("guard[0]"));
    EXPECT_EQ(web(), NO_RULE);
}

TEST_F(Tiers, TheAdminTierComesBeforeNetworkPolicies)
{
    add(for_all(
        "guard", TIER_ADMIN, 1,
        {act(ACTION_DENY, {EVERY_POD}, {port(22)}), act(ACTION_ALLOW, {EVERY_POD}, {port(53)})}));
    scene_.add(ingress_policy("shop/db", {{"app", "db"}}, Rules{}.rule({}, {port(22), port(80)})));
    EXPECT_EQ(web(22), denied_by("guard[0]"));
    EXPECT_EQ(web(53), allowed_by("guard[1]"));
    EXPECT_EQ(web(80), allowed_by("shop/db[0]"));
    EXPECT_EQ(web(81), denied_by("isolation db"));
}

TEST_F(Tiers, TheBaselineTierIsForThoseThatNobodyIsolates)
{
    add(for_all("base", TIER_BASELINE, 1, {act(ACTION_DENY, {EVERY_POD})}));
    EXPECT_EQ(web(), denied_by("base[0]"));
    scene_.add(ingress_policy("shop/db", {{"app", "db"}}, Rules{}.rule({pods({{"app", "web"}})})));
    EXPECT_EQ(web(), allowed_by("shop/db[0]"));
    EXPECT_EQ(api(), denied_by("isolation db"));
}

TEST_F(Tiers, LowerPrioritiesComeFirst)
{
    add(for_all("a-late", TIER_ADMIN, 9, {act(ACTION_DENY, {EVERY_POD})}));
    add(for_all("z-early", TIER_ADMIN, 2, {act(ACTION_ALLOW, {EVERY_POD}, {port(80)})}));
    EXPECT_EQ(web(80), allowed_by("z-early[0]"));
    EXPECT_EQ(web(81), denied_by("a-late[0]"));
    EXPECT_THAT(scene_.plan().warnings, IsEmpty());
}

TEST_F(Tiers, EqualPrioritiesAreDecidedByNameAndWarnedOf)
{
    add(for_all("b", TIER_ADMIN, 5, {act(ACTION_DENY, {EVERY_POD})}));
    add(for_all("a", TIER_ADMIN, 5, {act(ACTION_ALLOW, {EVERY_POD})}));
    add(for_all("c", TIER_BASELINE, 5, {act(ACTION_ALLOW, {EVERY_POD})}));
    EXPECT_EQ(web(), allowed_by("a[0]"));
    EXPECT_THAT(scene_.plan().warnings,
                ElementsAre(HasSubstr("ClusterNetworkPolicy/a (a.yaml:1) and "
                                      "ClusterNetworkPolicy/b (b.yaml:1) have the same priority")));
}

TEST_F(Tiers, PassGoesOnToTheNextTier)
{
    add(for_all("pass", TIER_ADMIN, 1, {act(ACTION_PASS, {EVERY_POD}, {port(80)})}));
    add(for_all("guard", TIER_ADMIN, 2, {act(ACTION_DENY, {EVERY_POD})}));
    add(for_all("base", TIER_BASELINE, 1, {act(ACTION_PASS, {namespaces({{"team", "ops"}})})}));
    add(for_all("last", TIER_BASELINE, 2, {act(ACTION_DENY, {EVERY_POD})}));
    EXPECT_EQ(web(81), denied_by("guard[0]"));
    EXPECT_EQ(web(80), denied_by("last[0]"));
    EXPECT_EQ(api(80), NO_RULE) << "passed twice: the default allows";
}

TEST_F(Tiers, HostNetworkPodsAreNoSubjects)
{
    auto pod = std::make_shared<Pod>(*scene_.world.interfaces[0].pod);
    pod->host_network = true;
    scene_.world.interfaces[0].pod = pod;
    add(for_all("guard", TIER_ADMIN, 1, {act(ACTION_DENY, {EVERY_POD})}));
    EXPECT_EQ(ruleset_number(scene_.plan(), "shop/db", DIRECTION_INGRESS), PLAN_RULESET_NONE);
}

TEST_F(Tiers, NodesAreTheirAddresses)
{
    Node node{
        .name = "far", .labels = {{"zone", "b"}}, .addresses = {ip("192.0.2.7")}, .origin = {}};
    scene_.world.nodes.push_back(std::make_shared<Node>(node));
    ClusterPolicy policy = for_all("guard", TIER_ADMIN, 1, {});
    PolicyPeer peer;
    peer.nodes = labelled({{"zone", "b"}});
    policy.egress = {act(ACTION_DENY, {peer})};
    add(policy);
    EXPECT_EQ(from_pod(scene_.plan(), "shop/db", "192.0.2.7"), denied_by("guard[0]"));
    EXPECT_EQ(from_pod(scene_.plan(), "shop/db", "192.0.2.8"), NO_RULE);
}

TEST_F(Tiers, RulesForNodesThatNobodyDescribedAreWarnedOf)
{
    ClusterPolicy policy = for_all("guard", TIER_ADMIN, 1, {});
    PolicyPeer peer;
    peer.nodes = Selector{};
    policy.egress = {act(ACTION_DENY, {peer})};
    add(policy);
    EXPECT_THAT(scene_.plan().warnings,
                ElementsAre(HasSubstr("guard.yaml:1) has rules for nodes")));
}

TEST_F(Tiers, AServiceIsDeniedOnlyIfAllItsEndpointsAre)
{
    scene_.service("shop/s", "10.96.0.1", {{"", Protocol::tcp, 80}});
    scene_.slice("shop/s", {{"", Protocol::tcp, 8080}}, {"10.0.0.2", "10.0.0.3"});
    ClusterPolicy policy = for_all("guard", TIER_ADMIN, 1, {});
    policy.egress = {act(ACTION_DENY, {namespaces({{"team", "ops"}})})};
    add(policy);
    EXPECT_EQ(from_pod(scene_.plan(), "shop/db", "10.96.0.1"), NO_RULE);
    policy.name = "wall";
    policy.egress = {act(ACTION_DENY, {block("10.96.0.0/16")})};
    add(policy);
    EXPECT_EQ(from_pod(scene_.plan(), "shop/db", "10.96.0.1"), denied_by("guard[0]"))
        << "a block that matches the cluster IP as it stands";
}

} // namespace
} // namespace ebpfd
