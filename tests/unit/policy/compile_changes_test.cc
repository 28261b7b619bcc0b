// SPDX-License-Identifier: Apache-2.0
#include "unit/policy/scene.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <memory>
#include <set>
#include <string>

namespace ebpfd {
namespace {

const Labels WEB{{"app", "web"}};
const Labels DB{{"app", "db"}};

std::string rules_of(const Plan& plan, const PlanRuleset& ruleset, const Bitmap& row)
{
    std::string text;
    for (auto bit = first_bit(row); bit; bit = first_bit(row, *bit + 1))
        text += " " + plan.rules.at(ruleset.bits[*bit].rule).key;
    return text;
}

// Each local pod's rule sets and their rows, with keys in place of indexes.
std::set<std::string> meaning(const Plan& plan)
{
    std::set<std::string> result;
    for (const PlanEndpoint& endpoint : plan.endpoints)
        for (const direction dir : {DIRECTION_INGRESS, DIRECTION_EGRESS}) {
            if (endpoint.ruleset[dir] >= plan.rulesets.size())
                continue;
            const PlanRuleset& ruleset = plan.rulesets.at(endpoint.ruleset[dir]);
            const std::string own = endpoint.pod + " " + std::to_string(dir) + " " + ruleset.key;
            result.insert(own);
            for (const PlanPeer& peer : ruleset.peers)
                result.insert(own + " " + plan.identities.at(peer.identity).key +
                              rules_of(plan, ruleset, peer.rules));
        }
    return result;
}

std::shared_ptr<const NetworkPolicy> with_port(uint16_t number)
{
    NetworkPolicy policy =
        ingress_policy("shop/both", WEB, Rules().rule({pods(DB)}, {port(number)}));
    policy.egress = Rules().rule({pods(DB)}).list;
    return std::make_shared<const NetworkPolicy>(std::move(policy));
}

Scene shop()
{
    Scene scene;
    scene.local("shop/web-1", WEB, {"10.0.0.1"});
    scene.local("shop/web-2", WEB, {"10.0.0.2"});
    scene.pod("shop/db", DB, {"10.0.0.9"});
    return scene;
}

// Compiles one World after another, each as it would be from scratch.
class CompileChanges : public testing::Test {
protected:
    void compile_next(const World& world)
    {
        const auto changed = compiler.compile(world), scratch = compile(world);
        ASSERT_TRUE(changed && scratch);
        EXPECT_EQ(meaning(*changed), meaning(*scratch));
    }

    Compiler compiler;
};

// Of the policies that are gone some left their place to those after them. The rules for egress are
// the same all the time: so is their rule set, and who looks at it for the new pod.
TEST_F(CompileChanges, APolicyReplacedAgainAndAgainLeavesNothingBehind)
{
    Scene scene = shop();
    scene.world.policies = {with_port(80)};
    compile_next(scene.world);
    for (uint16_t change = 1; change <= 6; ++change) {
        const std::weak_ptr<const NetworkPolicy> before = scene.world.policies.front();
        scene.world.policies = {with_port(80 + change % 2)};
        compile_next(scene.world);
        EXPECT_TRUE(before.expired());
    }
    scene.pod("shop/late", {{"app", "db"}, {"tier", "new"}}, {"10.0.0.10"});
    compile_next(scene.world);
    std::erase_if(scene.world.pods.edit(), [](const auto& pod) { return pod->name == "db"; });
    compile_next(scene.world);
}

TEST_F(CompileChanges, APolicyWrittenAnewToTheSameEffectTakesOverFromTheOld)
{
    Scene scene = shop();
    scene.world.policies = {with_port(80)};
    compile_next(scene.world);
    const std::weak_ptr<const NetworkPolicy> before = scene.world.policies.front();
    scene.world.policies = {with_port(80)};
    compile_next(scene.world);
    EXPECT_TRUE(before.expired());
    scene.pod("shop/late", {{"app", "db"}, {"tier", "new"}}, {"10.0.0.10"});
    compile_next(scene.world);
}

// Pods with other names of ports come to the same rule set by another recipe.
TEST_F(CompileChanges, APolicyOfPodsWithDifferentPortsLeavesNothingBehind)
{
    Scene scene = shop();
    scene.local("shop/web-3", WEB, {"10.0.0.3"}).ports = {{"http", Protocol::tcp, 80}};
    scene.world.policies = {with_port(80)};
    compile_next(scene.world);
    const std::weak_ptr<const NetworkPolicy> before = scene.world.policies.front();
    scene.world.policies = {with_port(81)};
    compile_next(scene.world);
    EXPECT_TRUE(before.expired());
    scene.pod("shop/late", {{"app", "db"}, {"tier", "new"}}, {"10.0.0.10"});
    compile_next(scene.world);
}

// A rehearsed rule whose name resolves to nothing is in no key: the pod shares a rule set with
// those that the policy does not select.
TEST_F(CompileChanges, ANameThatComesToResolveIsFoundByThoseWhoAskForIt)
{
    Scene scene;
    scene.local("shop/web", {{"app", "web"}, {"part", "asks"}}, {"10.0.0.1"});
    scene.local("shop/web-2", WEB, {"10.0.0.2"});
    NetworkPolicy asks =
        egress_policy("shop/asks", {{"part", "asks"}}, Rules().rule({pods(DB)}, {named("http")}));
    asks.dry_run = true;
    scene.add(asks);
    scene.add(egress_policy("shop/out", WEB, Rules().rule({pods(DB)}, {port(80)})));
    compile_next(scene.world);
    scene.pod("shop/db", DB, {"10.0.0.9"}).ports = {{"http", Protocol::tcp, 53}};
    compile_next(scene.world);
}

TEST_F(CompileChanges, AClusterPolicyReplacedAgainAndAgainLeavesNothingBehind)
{
    Scene scene = shop();
    scene.describe_namespace("shop", {{"kind", "shop"}});
    const auto policy = [](uint16_t number) {
        ClusterPolicy result;
        result.kind = "ClusterNetworkPolicy";
        result.name = "all";
        result.ingress = Rules().rule({pods_in({{"kind", "shop"}}, DB)}, {port(number)}).list;
        result.egress = Rules().rule({pods_in({{"kind", "shop"}}, DB)}).list;
        return std::make_shared<const ClusterPolicy>(std::move(result));
    };
    scene.world.cluster_policies = {policy(80)};
    compile_next(scene.world);
    for (uint16_t change = 1; change <= 6; ++change) {
        const std::weak_ptr<const ClusterPolicy> before = scene.world.cluster_policies.front();
        scene.world.cluster_policies = {policy(80 + change % 2)};
        compile_next(scene.world);
        EXPECT_TRUE(before.expired());
    }
    scene.pod("shop/late", {{"app", "db"}, {"tier", "new"}}, {"10.0.0.10"});
    compile_next(scene.world);
}

} // namespace
} // namespace ebpfd
