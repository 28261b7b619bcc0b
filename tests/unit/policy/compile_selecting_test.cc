// SPDX-License-Identifier: Apache-2.0
#include "unit/policy/scene.h"

#include <gtest/gtest.h>

namespace ebpfd {
namespace {

const Labels WEB{{"app", "web"}};
const Labels DB{{"app", "db"}};

Scene two_namespaces()
{
    Scene scene;
    scene.local("shop/web", WEB, {"10.0.0.1"});
    scene.local("shop/db", DB, {"10.0.0.2"});
    scene.local("bank/web", WEB, {"10.0.1.1"});
    return scene;
}

TEST(Compile, EmptyPodSelectorSelectsWholeNamespace)
{
    Scene scene = two_namespaces();
    scene.add(ingress_policy("shop/closed", {}, {}));
    const Plan plan = scene.plan();
    EXPECT_EQ(to_pod(plan, "shop/web", "10.0.1.1"), denied_by("isolation closed"));
    EXPECT_EQ(to_pod(plan, "shop/db", "10.0.1.1"), denied_by("isolation closed"));
}

TEST(Compile, PolicySelectsInItsOwnNamespaceOnly)
{
    Scene scene = two_namespaces();
    scene.add(ingress_policy("shop/closed", {}, {}));
    EXPECT_EQ(to_pod(scene.plan(), "bank/web", "10.0.0.1"), NO_RULE);
}

TEST(Compile, DirectionWithoutPolicyIsNotIsolated)
{
    Scene scene = two_namespaces();
    scene.add(ingress_policy("shop/closed", WEB, {}));
    const Plan plan = scene.plan();
    EXPECT_EQ(ruleset_number(plan, "shop/web", DIRECTION_EGRESS), PLAN_RULESET_NONE);
    EXPECT_EQ(ruleset_number(plan, "shop/db", DIRECTION_INGRESS), PLAN_RULESET_NONE);
}

TEST(Compile, DirectionWithoutRulesDeniesAllOfIt)
{
    Scene scene = two_namespaces();
    scene.add(egress_policy("shop/mute", WEB, {}));
    const Plan plan = scene.plan();
    EXPECT_EQ(from_pod(plan, "shop/web", "10.0.0.2"), denied_by("isolation mute"));
    EXPECT_EQ(from_pod(plan, "shop/web", "8.8.8.8", 53, 17), denied_by("isolation mute"));
    EXPECT_EQ(to_pod(plan, "shop/web", "10.0.0.2"), NO_RULE);
}

TEST(Compile, NegativeRequirementsSelectPodsWithoutTheKey)
{
    Scene scene = two_namespaces();
    scene.local("shop/bare", {}, {"10.0.0.3"});
    NetworkPolicy others = ingress_policy("shop/others", {}, {});
    others.pod_selector.requirements = {{"app", Requirement::Operator::not_in, {"web"}}};
    scene.add(std::move(others));
    const Plan plan = scene.plan();
    EXPECT_EQ(to_pod(plan, "shop/web", "8.8.8.8"), NO_RULE);
    EXPECT_EQ(to_pod(plan, "shop/db", "8.8.8.8"), denied_by("isolation others"));
    EXPECT_EQ(to_pod(plan, "shop/bare", "8.8.8.8"), denied_by("isolation others"));
}

TEST(Compile, UndescribedNamespaceHasItsNameAsLabel)
{
    Scene scene = two_namespaces();
    scene.add(ingress_policy(
        "shop/named", WEB, Rules().rule({namespaces({{"kubernetes.io/metadata.name", "bank"}})})));
    const Plan plan = scene.plan();
    EXPECT_EQ(to_pod(plan, "shop/web", "10.0.1.1"), allowed_by("shop/named[0]"));
    EXPECT_EQ(to_pod(plan, "shop/web", "10.0.0.2"), denied_by("isolation named"));
}

TEST(Compile, DescribedNamespaceGetsItsNameAsLabelToo)
{
    Scene scene = two_namespaces();
    scene.describe_namespace("bank", {{"team", "gold"}});
    scene.add(ingress_policy(
        "shop/named", WEB,
        Rules().rule({namespaces({{"kubernetes.io/metadata.name", "bank"}, {"team", "gold"}})})));
    EXPECT_EQ(to_pod(scene.plan(), "shop/web", "10.0.1.1"), allowed_by("shop/named[0]"));
}

TEST(Compile, HostNetworkPodsAreNotIsolated)
{
    Scene scene;
    scene.local("shop/agent", WEB, {"192.168.0.1"}).host_network = true;
    scene.add(ingress_policy("shop/closed", {}, {}));
    EXPECT_EQ(ruleset_number(scene.plan(), "shop/agent", DIRECTION_INGRESS), PLAN_RULESET_NONE);
}

TEST(Compile, FinishedPodWithAnInterfaceStaysIsolated)
{
    Scene scene;
    scene.local("shop/job", WEB, {"10.0.0.1"}).finished = true;
    scene.add(ingress_policy("shop/closed", {}, {}));
    EXPECT_EQ(to_pod(scene.plan(), "shop/job", "10.0.0.9"), denied_by("isolation closed"));
}

TEST(Compile, InterfaceWithoutPodIsClosed)
{
    Scene scene;
    scene.world.interfaces.push_back({7, "veth7", nullptr});
    const Plan plan = scene.plan();
    ASSERT_EQ(plan.endpoints.size(), 1u);
    EXPECT_EQ(plan.endpoints[0].ifindex, 7u);
    EXPECT_EQ(plan.endpoints[0].pod, "");
    EXPECT_EQ(plan.endpoints[0].ruleset[DIRECTION_INGRESS], PLAN_RULESET_CLOSED);
    EXPECT_EQ(plan.endpoints[0].ruleset[DIRECTION_EGRESS], PLAN_RULESET_CLOSED);
}

} // namespace
} // namespace ebpfd
