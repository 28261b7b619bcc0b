// SPDX-License-Identifier: Apache-2.0
#include "analysis/explain.h"
#include "unit/policy/scene.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ebpfd {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

std::string ports_text(const Reached& decided)
{
    std::string text = decided.every_port ? " all" : "";
    for (const auto& [protocol, range] : decided.ports)
        text += fmt::format(" {}:{}-{}", protocol ? static_cast<int>(*protocol) : 0, range.first,
                            range.last);
    return text;
}

// "allow shop/web 6:80-80 by shop/db[0]".
std::string text_of(const Reached& decided)
{
    std::string peer = decided.workload ? decided.workload->text() : "";
    if (decided.elsewhere)
        peer += "elsewhere";
    for (const Cidr& block : decided.blocks)
        peer += (peer.empty() ? "" : "+") + block.text();
    return fmt::format(
        "{} {}{}{}", decided.allows ? "allow" : "deny", peer, ports_text(decided),
        decided.rule ? fmt::format(" by {}[{}]", decided.rule->policy, decided.rule->index) : "");
}

struct ExplainPod : testing::Test {
    Scene scene;

    ExplainPod()
    {
        scene.local("shop/db-0", {{"app", "db"}}, {"10.0.0.2"});
        scene.local("shop/web-1", {{"app", "web"}}, {"10.0.0.3"});
        scene.pod("shop/web-2", {{"app", "web"}}, {"10.0.1.3"});
        scene.pod("ops/api-1", {{"app", "api"}}, {"10.0.1.1"});
    }

    ClusterPolicy& cluster(const std::string& name, tier in_tier, rule_action action,
                           std::vector<PolicyPort> ports)
    {
        auto policy = std::make_shared<ClusterPolicy>();
        policy->kind = "ClusterNetworkPolicy";
        policy->name = name;
        policy->in_tier = in_tier;
        policy->ingress = {
            {.peers = {namespaces({})}, .ports = std::move(ports), .origin = {}, .action = action}};
        scene.world.cluster_policies.push_back(policy);
        return *policy;
    }
    Explained of(const std::string& pod) const
    {
        const auto explained = explain(scene.world, pod);
        if (explained && *explained)
            return **explained;
        ADD_FAILURE() << pod << (explained ? " is not there" : explained.error().message);
        return {};
    }
    std::vector<std::string> decided(const std::string& pod, direction dir) const
    {
        std::vector<std::string> result;
        const Explained explained = of(pod);
        if (explained.directions.size() == DIRECTION_COUNT)
            for (const Reached& one : explained.directions[dir].decided)
                result.push_back(text_of(one));
        return result;
    }
    std::vector<Closing> closings(const std::string& pod) const
    {
        std::vector<Closing> result;
        const Explained explained = of(pod);
        for (const AppliedTier& one : explained.directions.at(DIRECTION_INGRESS).tiers)
            result.push_back(one.closing);
        return result;
    }
};

TEST_F(ExplainPod, IsolationEndsTheSearchAndIsNotListedAmongDecisions)
{
    scene.add(ingress_policy("shop/db", {{"app", "db"}},
                             Rules().rule({pods({{"app", "web"}})}, {port(5432), port(80)})));
    EXPECT_THAT(closings("shop/db-0"), ElementsAre(Closing::next_tier, Closing::refused));
    EXPECT_THAT(decided("shop/db-0", DIRECTION_INGRESS),
                ElementsAre("allow shop/web 6:80-80 6:5432-5432 by db[0]"));
}

TEST_F(ExplainPod, WithoutPoliciesEverybodyIsAllowed)
{
    EXPECT_THAT(closings("shop/db-0"),
                ElementsAre(Closing::next_tier, Closing::next_tier, Closing::allowed));
    EXPECT_THAT(decided("shop/db-0", DIRECTION_EGRESS),
                ElementsAre("allow ops/api all", "allow shop/web all", "allow elsewhere all"));
}

TEST_F(ExplainPod, PodsOfOneWorkloadAreCountedTogether)
{
    const Explained explained = of("shop/db-0");
    EXPECT_EQ(explained.directions[DIRECTION_INGRESS].decided[1].pods, 2u);
    EXPECT_TRUE(explained.local);
}

TEST_F(ExplainPod, BlocksAreTheirOwnPeersAndHoldForThePodsInside)
{
    scene.add(egress_policy("shop/db", {{"app", "db"}},
                            Rules()
                                .rule({block("10.0.0.0/8", {"10.0.1.0/24"})})
                                .rule({block("192.0.2.0/24")}, {port(443)})));
    // web-1 lies inside, web-2 and api-1 are excepted.
    EXPECT_THAT(decided("shop/db-0", DIRECTION_EGRESS),
                ElementsAre("allow shop/web all by db[0]", "allow 10.0.0.0/8 all by db[0]",
                            "allow 192.0.2.0/24 6:443-443 by db[1]"));
}

TEST_F(ExplainPod, TiersAreFollowedWherePassLeads)
{
    cluster("guard", TIER_ADMIN, ACTION_DENY, {port(22)});
    cluster("pass", TIER_ADMIN, ACTION_PASS, {port(80)}).priority = 2;
    cluster("rest", TIER_ADMIN, ACTION_DENY, {ports(80, 90)}).priority = 3;
    cluster("base", TIER_BASELINE, ACTION_DENY, {port(81), port(100)});
    const auto all = decided("shop/db-0", DIRECTION_INGRESS);
    EXPECT_THAT(all, Contains("deny ops/api 6:22-22 by guard[0]"));
    EXPECT_THAT(all, Contains("deny ops/api 6:81-90 by rest[0]"));
    EXPECT_THAT(all, Contains("deny ops/api 6:100-100 by base[0]"));
    EXPECT_THAT(all, Contains("allow elsewhere all"));
}

TEST_F(ExplainPod, PodsOfOtherNodesAreExplainedAsTheirOwnNodeJudges)
{
    scene.add(ingress_policy("ops/api", {}, Rules().rule({namespaces({})}, {named("http")})));
    EXPECT_THAT(decided("ops/api-1", DIRECTION_INGRESS), IsEmpty());
    scene.pod("ops/api-2", {}, {"10.0.1.9"}).ports = {{"http", Protocol::tcp, 8080}};
    EXPECT_THAT(decided("ops/api-2", DIRECTION_INGRESS),
                Contains("allow shop/db 6:8080-8080 by api[0]"));
    EXPECT_FALSE(of("ops/api-2").local);
}

TEST_F(ExplainPod, HostNetworkPodsAreExemptAndUnknownOnesUnknown)
{
    scene.pod("ops/host", {}, {"192.168.0.1"}).host_network = true;
    EXPECT_TRUE(of("ops/host").exempt);
    const auto none = explain(scene.world, "ops/none");
    ASSERT_TRUE(none);
    EXPECT_FALSE(none->has_value());
}

} // namespace
} // namespace ebpfd
