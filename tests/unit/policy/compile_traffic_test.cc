// SPDX-License-Identifier: Apache-2.0
#include "unit/policy/scene.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ebpfd {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const Labels WEB{{"app", "web"}};
const Labels DB{{"app", "db"}};
const Outcome ALLOWED = allowed_by("shop/p[0]");
const Outcome DENIED = denied_by("isolation p");

// A subject that only takes what selectors for DB match.
Scene guarded()
{
    Scene scene;
    scene.local("shop/web", WEB, {"10.0.0.1"});
    scene.add(ingress_policy("shop/p", WEB, Rules().rule({pods(DB)})));
    return scene;
}

uint32_t identity_at(const Plan& plan, std::string_view address)
{
    for (const PlanAddress& entry : plan.addresses) {
        if (entry.address == ip(address))
            return entry.identity;
    }
    ADD_FAILURE() << "no entry for " << address;
    return 0;
}

bool known(const Plan& plan, std::string_view address)
{
    return std::ranges::any_of(
        plan.addresses, [&](const PlanAddress& entry) { return entry.address == ip(address); });
}

TEST(Compile, NodeAddressIsInNoSelectorsSet)
{
    Scene scene = guarded();
    scene.pod("shop/db", DB, {"192.168.0.1"});
    scene.world.node_addresses = {ip("192.168.0.1"), ip("192.168.0.2")};
    const Plan plan = scene.plan();
    EXPECT_EQ(identity_at(plan, "192.168.0.1"), PLAN_IDENTITY_NODE);
    EXPECT_EQ(identity_at(plan, "192.168.0.2"), PLAN_IDENTITY_NODE);
    EXPECT_EQ(to_pod(plan, "shop/web", "192.168.0.1"), DENIED);
}

TEST(Compile, HostNetworkPodIsInNoSelectorsSetYetInBlocks)
{
    Scene scene;
    scene.local("shop/web", WEB, {"10.0.0.1"});
    scene.pod("shop/agent", DB, {"192.168.0.9"}).host_network = true;
    scene.add(ingress_policy(
        "shop/p", WEB,
        Rules().rule({pods(DB)}, {port(80)}).rule({block("192.168.0.0/16")}, {port(81)})));
    const Plan plan = scene.plan();
    EXPECT_FALSE(known(plan, "192.168.0.9"));
    EXPECT_EQ(to_pod(plan, "shop/web", "192.168.0.9", 80), DENIED);
    EXPECT_EQ(to_pod(plan, "shop/web", "192.168.0.9", 81), allowed_by("shop/p[1]"));
}

TEST(Compile, FinishedPodsLeaveAllPeerSets)
{
    Scene scene = guarded();
    scene.pod("shop/job", DB, {"10.0.0.3"}).finished = true;
    const Plan plan = scene.plan();
    EXPECT_FALSE(known(plan, "10.0.0.3"));
    EXPECT_EQ(to_pod(plan, "shop/web", "10.0.0.3"), DENIED);
}

TEST(Compile, NewestRunningPodOwnsASharedAddress)
{
    Scene scene = guarded();
    scene.pod("shop/old", DB, {"10.0.0.3"}).created = "2024-01-01T00:00:00Z";
    scene.pod("shop/new", WEB, {"10.0.0.3"}).created = "2024-06-01T00:00:00Z";
    Pod& gone = scene.pod("shop/gone", DB, {"10.0.0.3"});
    gone.created = "2024-09-01T00:00:00Z";
    gone.finished = true;
    const Plan plan = scene.plan();
    EXPECT_EQ(to_pod(plan, "shop/web", "10.0.0.3"), DENIED);
    EXPECT_THAT(plan.warnings, ElementsAre(HasSubstr("10.0.0.3")));
    std::ranges::reverse(scene.world.pods.edit());
    EXPECT_EQ(to_pod(scene.plan(), "shop/web", "10.0.0.3"), DENIED);
}

TEST(Compile, AddressOfANewerHostNetworkPodIsNoPods)
{
    Scene scene = guarded();
    scene.pod("shop/old", DB, {"10.0.0.3"}).created = "2024-01-01T00:00:00Z";
    Pod& agent = scene.pod("shop/agent", DB, {"10.0.0.3"});
    agent.created = "2024-06-01T00:00:00Z";
    agent.host_network = true;
    EXPECT_EQ(to_pod(scene.plan(), "shop/web", "10.0.0.3"), DENIED);
    agent.created = "2023-06-01T00:00:00Z";
    EXPECT_EQ(to_pod(scene.plan(), "shop/web", "10.0.0.3"), ALLOWED);
}

TEST(Compile, PodWithoutAddressAddsNothing)
{
    Scene scene = guarded();
    const size_t before = scene.plan().identities.size();
    scene.pod("shop/pending", DB, {});
    EXPECT_EQ(scene.plan().identities.size(), before);
}

TEST(Compile, AllAddressesOfAPodCount)
{
    Scene scene = guarded();
    scene.pod("shop/db", DB, {"10.0.0.2", "fd00::2"});
    const Plan plan = scene.plan();
    EXPECT_EQ(to_pod(plan, "shop/web", "10.0.0.2"), ALLOWED);
    EXPECT_EQ(to_pod(plan, "shop/web", "fd00::2"), ALLOWED);
    EXPECT_EQ(identity_at(plan, "10.0.0.2"), identity_at(plan, "fd00::2"));
}

TEST(Compile, ChangedLabelsChangeTheIdentity)
{
    Scene scene = guarded();
    Pod& pod = scene.pod("shop/db", DB, {"10.0.0.2"});
    ASSERT_EQ(to_pod(scene.plan(), "shop/web", "10.0.0.2"), ALLOWED);
    pod.labels = WEB;
    EXPECT_EQ(to_pod(scene.plan(), "shop/web", "10.0.0.2"), DENIED);
}

TEST(Compile, ChangedNamespaceLabelsChangeTheIdentity)
{
    Scene scene;
    scene.local("shop/web", WEB, {"10.0.0.1"});
    scene.pod("bank/db", DB, {"10.0.1.2"});
    scene.add(ingress_policy("shop/p", WEB, Rules().rule({namespaces({{"team", "gold"}})})));
    const Plan before = scene.plan();
    scene.describe_namespace("bank", {{"team", "gold"}});
    const Plan after = scene.plan();
    EXPECT_EQ(to_pod(before, "shop/web", "10.0.1.2"), DENIED);
    EXPECT_EQ(to_pod(after, "shop/web", "10.0.1.2"), ALLOWED);
    EXPECT_NE(before.identities[identity_at(before, "10.0.1.2")].key,
              after.identities[identity_at(after, "10.0.1.2")].key);
}

TEST(Compile, PodsOfEqualLabelsShareAnIdentity)
{
    Scene scene;
    scene.pod("shop/a", DB, {"10.0.0.1"});
    scene.pod("shop/b", DB, {"10.0.0.2"});
    scene.pod("bank/c", DB, {"10.0.0.3"});
    scene.pod("shop/d", DB, {"10.0.0.4"}).ports = {{"sql", Protocol::tcp, 1}};
    const Plan plan = scene.plan();
    EXPECT_EQ(plan.identities.size(), 3u);
    EXPECT_EQ(identity_at(plan, "10.0.0.1"), identity_at(plan, "10.0.0.2"));
}

} // namespace
} // namespace ebpfd
