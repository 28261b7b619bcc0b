// SPDX-License-Identifier: Apache-2.0
#include "unit/policy/scene.h"

#include <gtest/gtest.h>

namespace ebpfd {
namespace {

const Labels WEB{{"app", "web"}};
const Labels DB{{"app", "db"}};
const Outcome ALLOWED = allowed_by("shop/p[0]");
const Outcome DENIED = denied_by("isolation p");

TEST(Compile, IngressNamedPortIsTheSelectedPods)
{
    Scene scene;
    scene.local("shop/a", WEB, {"10.0.0.1"}).ports = {{"http", Protocol::tcp, 8080}};
    scene.local("shop/b", WEB, {"10.0.0.2"}).ports = {{"http", Protocol::tcp, 9090}};
    scene.local("shop/c", WEB, {"10.0.0.3"}).ports = {{"http", Protocol::udp, 8080}};
    scene.add(ingress_policy("shop/p", WEB, Rules().rule({}, {named("http")})));
    const Plan plan = scene.plan();
    EXPECT_EQ(to_pod(plan, "shop/a", "8.8.8.8", 8080), ALLOWED);
    EXPECT_EQ(to_pod(plan, "shop/a", "8.8.8.8", 9090), DENIED);
    EXPECT_EQ(to_pod(plan, "shop/b", "8.8.8.8", 9090), ALLOWED);
    EXPECT_EQ(to_pod(plan, "shop/c", "8.8.8.8", 8080), DENIED);
    EXPECT_EQ(to_pod(plan, "shop/c", "8.8.8.8", 8080, 17), DENIED);
}

TEST(Compile, EgressNamedPortIsEachPeersOwn)
{
    Scene scene;
    scene.local("shop/web", WEB, {"10.0.0.1"});
    scene.pod("shop/db-a", DB, {"10.0.0.2"}).ports = {{"sql", Protocol::tcp, 5432}};
    scene.pod("shop/db-b", DB, {"10.0.0.3"}).ports = {{"sql", Protocol::tcp, 3306}};
    scene.pod("shop/db-c", DB, {"10.0.0.4"});
    scene.add(egress_policy("shop/p", WEB, Rules().rule({pods(DB)}, {named("sql"), port(80)})));
    const Plan plan = scene.plan();
    EXPECT_EQ(from_pod(plan, "shop/web", "10.0.0.2", 5432), ALLOWED);
    EXPECT_EQ(from_pod(plan, "shop/web", "10.0.0.2", 3306), DENIED);
    EXPECT_EQ(from_pod(plan, "shop/web", "10.0.0.3", 3306), ALLOWED);
    EXPECT_EQ(from_pod(plan, "shop/web", "10.0.0.4", 5432), DENIED);
    for (const auto* peer : {"10.0.0.2", "10.0.0.3", "10.0.0.4"})
        EXPECT_EQ(from_pod(plan, "shop/web", peer, 80), ALLOWED) << peer;
}

TEST(Compile, EgressNamedPortForEveryoneMatchesPodsAlone)
{
    Scene scene;
    scene.local("shop/web", WEB, {"10.0.0.1"});
    scene.pod("bank/db", DB, {"10.0.1.2"}).ports = {{"sql", Protocol::tcp, 5432}};
    scene.add(egress_policy("shop/p", WEB, Rules().rule({}, {named("sql")})));
    const Plan plan = scene.plan();
    EXPECT_EQ(from_pod(plan, "shop/web", "10.0.1.2", 5432), ALLOWED);
    EXPECT_EQ(from_pod(plan, "shop/web", "8.8.8.8", 5432), DENIED);
}

TEST(Compile, EgressNamedPortOfAnyNamespaceLeavesOthersOut)
{
    Scene scene;
    scene.local("shop/web", WEB, {"10.0.0.1"});
    scene.pod("bank/db", DB, {"10.0.1.2"}).ports = {{"sql", Protocol::tcp, 5432}};
    scene.pod("bank/web", WEB, {"10.0.1.3"});
    scene.add(egress_policy("shop/p", WEB, Rules().rule({namespaces({})}, {named("sql")})));
    const Plan plan = scene.plan();
    EXPECT_EQ(from_pod(plan, "shop/web", "10.0.1.2", 5432), ALLOWED);
    EXPECT_EQ(from_pod(plan, "shop/web", "10.0.1.3", 5432), DENIED);
}

TEST(Compile, EgressNamedPortInABlockMatchesThePodsInside)
{
    Scene scene;
    scene.local("shop/web", WEB, {"10.0.0.1"});
    for (const auto* address : {"10.0.1.2", "10.0.2.2", "10.0.1.99"}) {
        Pod& pod = scene.pod("bank/db" + std::to_string(scene.world.pods.size()), DB, {address});
        pod.ports = {{"sql", Protocol::tcp, 5432}};
    }
    scene.add(egress_policy(
        "shop/p", WEB, Rules().rule({block("10.0.1.0/24", {"10.0.1.96/28"})}, {named("sql")})));
    const Plan plan = scene.plan();
    EXPECT_EQ(from_pod(plan, "shop/web", "10.0.1.2", 5432), ALLOWED);
    EXPECT_EQ(from_pod(plan, "shop/web", "10.0.1.3", 5432), DENIED) << "no pod";
    EXPECT_EQ(from_pod(plan, "shop/web", "10.0.2.2", 5432), DENIED) << "outside of the block";
    EXPECT_EQ(from_pod(plan, "shop/web", "10.0.1.99", 5432), DENIED) << "excepted";
    EXPECT_EQ(from_pod(plan, "shop/web", "10.0.1.2", 80), DENIED);
}

} // namespace
} // namespace ebpfd
