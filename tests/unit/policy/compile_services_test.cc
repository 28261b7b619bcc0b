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
constexpr auto VIP = "10.96.0.1";

// shop/web, isolated for egress by the rules, and the service shop/sql: port 80 of the cluster
// IP leads to port 5432 of shop/db.
Scene shop(const Rules& rules)
{
    Scene scene;
    scene.local("shop/web", WEB, {"10.0.0.1"});
    scene.pod("shop/db", DB, {"10.0.0.2"});
    scene.service("shop/sql", VIP, {{"sql", Protocol::tcp, 80}});
    scene.slice("shop/sql", {{"sql", Protocol::tcp, 5432}}, {"10.0.0.2"});
    scene.add(egress_policy("shop/p", WEB, rules));
    return scene;
}

TEST(Compile, ServiceStandsForItsEndpointsOnTheTargetPort)
{
    const Plan plan = shop(Rules().rule({pods(DB)}, {port(5432)})).plan();
    EXPECT_EQ(from_pod(plan, "shop/web", VIP, 80), ALLOWED);
    EXPECT_EQ(from_pod(plan, "shop/web", VIP, 5432), DENIED) << "no port of the service";
}

TEST(Compile, ServicePortAloneIsNotEnough)
{
    const Plan plan = shop(Rules().rule({pods(DB)}, {port(80)})).plan();
    EXPECT_EQ(from_pod(plan, "shop/web", VIP, 80), DENIED);
}

TEST(Compile, ClusterIpIsMatchedByBlocksAsItStands)
{
    const Plan plan = shop(Rules().rule({block("10.96.0.0/16")}, {port(80)})).plan();
    EXPECT_EQ(from_pod(plan, "shop/web", VIP, 80), ALLOWED);
}

TEST(Compile, ClusterIpIsNoPod)
{
    const Plan plan = shop(Rules().rule({namespaces({})}, {port(80)})).plan();
    EXPECT_EQ(from_pod(plan, "shop/web", VIP, 80), DENIED);
}

TEST(Compile, OneAllowedEndpointIsEnough)
{
    Scene scene = shop(Rules().rule({block("10.0.3.0/24")}, {port(5432)}));
    scene.slice("shop/sql", {{"sql", Protocol::tcp, 5432}}, {"10.0.2.7", "10.0.3.7"});
    EXPECT_EQ(from_pod(scene.plan(), "shop/web", VIP, 80), ALLOWED);
}

TEST(Compile, EndpointsAreJudgedByEveryBitOfABlock)
{
    Scene scene = shop(Rules().rule({block("10.0.2.0/23")}));
    scene.world.slices = {};
    scene.slice("shop/sql", {{"sql", Protocol::tcp, 5432}}, {"10.0.4.7"});
    EXPECT_EQ(from_pod(scene.plan(), "shop/web", VIP, 80), DENIED);
    scene.slice("shop/sql", {{"sql", Protocol::tcp, 5432}}, {"10.0.3.255"});
    EXPECT_EQ(from_pod(scene.plan(), "shop/web", VIP, 80), ALLOWED);
}

TEST(Compile, FirstOfTheAllowingRulesDecidesAboutAService)
{
    const Plan plan = shop(Rules()
                               .rule({pods(WEB)})
                               .rule({pods(DB)}, {port(5432)})
                               .rule({block("10.96.0.0/16")}, {port(80)}))
                          .plan();
    EXPECT_EQ(from_pod(plan, "shop/web", VIP, 80), allowed_by("shop/p[1]"));
}

TEST(Compile, ServiceWithoutReadyEndpointIsJudgedAsItStands)
{
    Scene scene = shop(Rules().rule({block("10.96.0.0/16")}, {port(80)}));
    scene.world.slices = {};
    const Plan plan = scene.plan();
    EXPECT_TRUE(plan.services.empty());
    ASSERT_EQ(plan.addresses.back().address, ip(VIP));
    EXPECT_EQ(plan.addresses.back().identity, PLAN_IDENTITY_SERVICE);
    EXPECT_EQ(from_pod(plan, "shop/web", VIP, 80), ALLOWED);
    EXPECT_EQ(from_pod(plan, "shop/web", VIP, 81), DENIED);
}

TEST(Compile, SlicePortsBelongToServicePortsOfTheirNameAndProtocol)
{
    Scene scene = shop(Rules().rule({pods(DB)}, {port(5432)}));
    scene.service("shop/dns", "10.96.0.2",
                  {{"dns", Protocol::udp, 53}, {"dns-tcp", Protocol::tcp, 53}});
    scene.slice("shop/dns", {{"dns", Protocol::udp, 5353}, {"other", Protocol::tcp, 53}},
                {"10.0.0.2"});
    const Plan plan = scene.plan();
    ASSERT_EQ(plan.services.size(), 2u);
    EXPECT_EQ(plan.services[1].address, ip("10.96.0.2"));
    EXPECT_EQ(plan.services[1].protocol, 17);
}

TEST(Compile, SliceOfAnotherNamespaceDoesNotCount)
{
    Scene scene = shop(Rules().rule({pods(DB)}));
    scene.world.slices = {};
    scene.slice("bank/sql", {{"sql", Protocol::tcp, 5432}}, {"10.0.0.2"});
    EXPECT_TRUE(scene.plan().services.empty());
}

TEST(Compile, EndpointsOfTheOtherFamilyDoNotCount)
{
    Scene scene = shop(Rules().rule({block("fd00::/8")}));
    scene.slice("shop/sql", {{"sql", Protocol::tcp, 5432}}, {"fd00::2"});
    EXPECT_EQ(from_pod(scene.plan(), "shop/web", VIP, 80), DENIED);
}

TEST(Compile, NamedPortsOfEndpointsCountForTheirService)
{
    Scene scene = shop(Rules().rule({pods(DB)}, {named("db")}));
    scene.pod("shop/db-2", DB, {"10.0.0.3"}).ports = {{"db", Protocol::tcp, 5432}};
    EXPECT_EQ(from_pod(scene.plan(), "shop/web", VIP, 80), DENIED);
    scene.slice("shop/sql", {{"sql", Protocol::tcp, 5432}}, {"10.0.0.3"});
    EXPECT_EQ(from_pod(scene.plan(), "shop/web", VIP, 80), ALLOWED);
}

TEST(Compile, ClusterIpOfAPodIsThePods)
{
    Scene scene = shop(Rules().rule({pods(DB)}));
    scene.pod("shop/thief", WEB, {VIP});
    const Plan plan = scene.plan();
    EXPECT_TRUE(plan.services.empty());
    EXPECT_EQ(from_pod(plan, "shop/web", VIP, 80), DENIED);
    EXPECT_THAT(plan.warnings, ElementsAre(HasSubstr("shop/sql")));
}

TEST(Compile, PodReachesItselfThroughAService)
{
    Scene scene = shop(Rules().rule({block("192.0.2.0/24")}, {port(443)}));
    scene.local("shop/web-2", WEB, {"10.0.0.3"});
    scene.service("shop/loop", "10.96.0.9", {{"", Protocol::tcp, 80}});
    scene.slice("shop/loop", {{"", Protocol::tcp, 8080}}, {"10.0.0.1"});
    const Plan plan = scene.plan();
    EXPECT_EQ(from_pod(plan, "shop/web", "10.96.0.9", 80), allowed_by("self"));
    EXPECT_EQ(from_pod(plan, "shop/web", "10.96.0.9", 81), DENIED);
    EXPECT_EQ(from_pod(plan, "shop/web", VIP, 80), DENIED);
    EXPECT_EQ(from_pod(plan, "shop/web", "192.0.2.1", 443), ALLOWED);
    EXPECT_EQ(from_pod(plan, "shop/web-2", "10.96.0.9", 80), DENIED);
}

TEST(Compile, ServiceLeadsBackOnlyToTheOwnerOfTheAddress)
{
    Scene scene = shop({});
    scene.slice("shop/sql", {{"sql", Protocol::tcp, 5432}}, {"10.0.0.1"});
    ASSERT_EQ(from_pod(scene.plan(), "shop/web", VIP, 80), allowed_by("self"));
    scene.pod("shop/heir", DB, {"10.0.0.1"}).created = "2024-06-01T00:00:00Z";
    EXPECT_EQ(from_pod(scene.plan(), "shop/web", VIP, 80), DENIED);
}

TEST(Compile, ServiceThatPolicyAllowsNeedsNoRuleForItself)
{
    Scene scene = shop(Rules().rule({pods({})}));
    scene.local("shop/web-2", WEB, {"10.0.0.3"});
    scene.slice("shop/sql", {{"sql", Protocol::tcp, 5432}}, {"10.0.0.1"});
    const Plan plan = scene.plan();
    EXPECT_EQ(from_pod(plan, "shop/web", VIP, 80), ALLOWED);
    EXPECT_EQ(plan.rulesets.size(), 1u);
}

TEST(Compile, ServiceIdentityNamesItsEndpoints)
{
    Scene scene = shop(Rules().rule({pods(DB)}));
    const std::string before = scene.plan().identities.back().key;
    scene.slice("shop/sql", {{"sql", Protocol::tcp, 5432}}, {"10.0.0.7"});
    EXPECT_NE(scene.plan().identities.back().key, before);
}

TEST(Compile, SecondServiceOnOneClusterIpAndPortIsIgnored)
{
    Scene scene = shop(Rules().rule({pods(DB)}));
    scene.service("shop/twin", VIP, {{"sql", Protocol::tcp, 80}});
    scene.slice("shop/twin", {{"sql", Protocol::tcp, 9}}, {"10.0.0.9"});
    const Plan plan = scene.plan();
    EXPECT_EQ(plan.services.size(), 1u);
    EXPECT_EQ(from_pod(plan, "shop/web", VIP, 80), ALLOWED);
    EXPECT_THAT(plan.warnings, ElementsAre(HasSubstr("shop/twin")));
}

} // namespace
} // namespace ebpfd
