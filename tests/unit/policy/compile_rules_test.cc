// SPDX-License-Identifier: Apache-2.0
#include "unit/policy/scene.h"

#include <gtest/gtest.h>

namespace ebpfd {
namespace {

const Labels WEB{{"app", "web"}};
const Labels DB{{"app", "db"}};
constexpr uint8_t ICMP = 1;
constexpr uint8_t UDP = 17;
constexpr uint8_t SCTP = 132;

// shop/web is the subject; the others are its peers.
Scene town()
{
    Scene scene;
    scene.local("shop/web", WEB, {"10.0.0.1", "fd00::1"});
    scene.pod("shop/db", DB, {"10.0.0.2", "fd00::2"});
    scene.pod("bank/db", DB, {"10.0.1.2", "fd00:1::2"});
    scene.pod("bank/web", WEB, {"10.0.1.1"});
    scene.describe_namespace("bank", {{"team", "gold"}});
    return scene;
}

Plan with_ingress(const Rules& rules)
{
    Scene scene = town();
    scene.add(ingress_policy("shop/in", WEB, rules));
    return scene.plan();
}

Plan with_egress(const Rules& rules)
{
    Scene scene = town();
    scene.add(egress_policy("shop/out", WEB, rules));
    return scene.plan();
}

const Outcome ALLOWED = allowed_by("shop/in[0]");
const Outcome DENIED = denied_by("isolation in");

TEST(Compile, EmptyRuleAllowsEverything)
{
    const Plan plan = with_ingress(Rules().rule({}));
    EXPECT_EQ(to_pod(plan, "shop/web", "8.8.8.8"), ALLOWED);
    EXPECT_EQ(to_pod(plan, "shop/web", "2001:db8::1", 0, ICMP), ALLOWED);
    EXPECT_EQ(to_pod(plan, "shop/web", "10.0.1.1", 1, SCTP), ALLOWED);
}

TEST(Compile, RuleWithoutPeersMatchesTheOutside)
{
    const Plan plan = with_ingress(Rules().rule({}, {port(80)}));
    EXPECT_EQ(to_pod(plan, "shop/web", "8.8.8.8", 80), ALLOWED);
    EXPECT_EQ(to_pod(plan, "shop/web", "8.8.8.8", 81), DENIED);
}

TEST(Compile, PeersAndPortsMustBothMatch)
{
    const Plan plan = with_ingress(Rules().rule({pods(DB)}, {port(80)}));
    EXPECT_EQ(to_pod(plan, "shop/web", "10.0.0.2", 80), ALLOWED);
    EXPECT_EQ(to_pod(plan, "shop/web", "10.0.0.2", 81), DENIED);
    EXPECT_EQ(to_pod(plan, "shop/web", "10.0.1.1", 80), DENIED);
}

TEST(Compile, RulesAreOredAndDoNotMixTheirParts)
{
    const Plan plan = with_ingress(
        Rules().rule({pods(DB)}, {port(80)}).rule({namespaces({{"team", "gold"}})}, {port(443)}));
    EXPECT_EQ(to_pod(plan, "shop/web", "10.0.0.2", 80), ALLOWED);
    EXPECT_EQ(to_pod(plan, "shop/web", "10.0.1.1", 443), allowed_by("shop/in[1]"));
    EXPECT_EQ(to_pod(plan, "shop/web", "10.0.0.2", 443), DENIED);
    EXPECT_EQ(to_pod(plan, "shop/web", "10.0.1.1", 80), DENIED);
}

TEST(Compile, PeersOfOneRuleAreOneBit)
{
    const Plan plan = with_ingress(
        Rules().rule({pods(DB), block("192.0.2.0/24"), namespaces({{"team", "gold"}})}));
    EXPECT_EQ(ruleset_of(plan, "shop/web", DIRECTION_INGRESS)->bits.size(), 2u);
    for (const auto* peer : {"10.0.0.2", "192.0.2.7", "10.0.1.1"})
        EXPECT_EQ(to_pod(plan, "shop/web", peer), ALLOWED) << peer;
}

TEST(Compile, PodSelectorAloneMeansThePolicysNamespace)
{
    const Plan plan = with_ingress(Rules().rule({pods(DB)}));
    EXPECT_EQ(to_pod(plan, "shop/web", "10.0.0.2"), ALLOWED);
    EXPECT_EQ(to_pod(plan, "shop/web", "10.0.1.2"), DENIED);
}

TEST(Compile, BothSelectorsOfOnePeerAreAnded)
{
    const Plan plan = with_ingress(Rules().rule({pods_in({{"team", "gold"}}, DB)}));
    EXPECT_EQ(to_pod(plan, "shop/web", "10.0.1.2"), ALLOWED);
    EXPECT_EQ(to_pod(plan, "shop/web", "10.0.1.1"), DENIED);
    EXPECT_EQ(to_pod(plan, "shop/web", "10.0.0.2"), DENIED);
}

TEST(Compile, EmptyNamespaceSelectorMatchesPodsOnly)
{
    const Plan plan = with_ingress(Rules().rule({namespaces({}), pods(DB)}));
    EXPECT_EQ(to_pod(plan, "shop/web", "10.0.1.1"), ALLOWED);
    EXPECT_EQ(to_pod(plan, "shop/web", "8.8.8.8"), DENIED);
    EXPECT_TRUE(ruleset_of(plan, "shop/web", DIRECTION_INGRESS)->peers.empty());
}

TEST(Compile, EmptyPodSelectorOfAPeerMatchesItsNamespace)
{
    const Plan plan = with_ingress(Rules().rule({pods({})}));
    EXPECT_EQ(to_pod(plan, "shop/web", "10.0.0.2"), ALLOWED);
    EXPECT_EQ(to_pod(plan, "shop/web", "10.0.1.2"), DENIED);
}

TEST(Compile, ProtocolAloneMeansAllItsPorts)
{
    const Plan plan = with_ingress(Rules().rule({}, {every_port(Protocol::udp)}));
    EXPECT_EQ(to_pod(plan, "shop/web", "8.8.8.8", 1, UDP), ALLOWED);
    EXPECT_EQ(to_pod(plan, "shop/web", "8.8.8.8", 65535, UDP), ALLOWED);
    EXPECT_EQ(to_pod(plan, "shop/web", "8.8.8.8", 1), DENIED);
    const auto& rows = ruleset_of(plan, "shop/web", DIRECTION_INGRESS)->ports;
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_EQ(rows[0].prefix, 0);
}

TEST(Compile, SctpRuleIsolatesForTcpToo)
{
    const Plan plan = with_ingress(Rules().rule({}, {port(80, Protocol::sctp)}));
    EXPECT_EQ(to_pod(plan, "shop/web", "8.8.8.8", 80, SCTP), ALLOWED);
    EXPECT_EQ(to_pod(plan, "shop/web", "8.8.8.8", 80), DENIED);
}

TEST(Compile, EndPortIsInclusive)
{
    const Plan plan = with_ingress(Rules().rule({}, {ports(1000, 2000)}));
    EXPECT_EQ(to_pod(plan, "shop/web", "8.8.8.8", 999), DENIED);
    EXPECT_EQ(to_pod(plan, "shop/web", "8.8.8.8", 1000), ALLOWED);
    EXPECT_EQ(to_pod(plan, "shop/web", "8.8.8.8", 2000), ALLOWED);
    EXPECT_EQ(to_pod(plan, "shop/web", "8.8.8.8", 2001), DENIED);
}

TEST(Compile, IcmpNeedsARuleWithoutPorts)
{
    const Plan open = with_ingress(Rules().rule({pods(DB)}));
    EXPECT_EQ(to_pod(open, "shop/web", "10.0.0.2", 0, ICMP), ALLOWED);
    const Plan narrow = with_ingress(Rules().rule({pods(DB)}, {every_port(Protocol::tcp)}));
    EXPECT_EQ(to_pod(narrow, "shop/web", "10.0.0.2", 0, ICMP), DENIED);
    EXPECT_EQ(to_pod(narrow, "shop/web", "10.0.0.2", 0, 47), DENIED);
}

TEST(Compile, IpBlockMatchesPodAddressesToo)
{
    const Plan plan = with_ingress(Rules().rule({block("10.0.1.0/24", {"10.0.1.2/32"})}));
    EXPECT_EQ(to_pod(plan, "shop/web", "10.0.1.1"), ALLOWED);
    EXPECT_EQ(to_pod(plan, "shop/web", "10.0.1.2"), DENIED);
    EXPECT_EQ(to_pod(plan, "shop/web", "10.0.1.3"), ALLOWED);
}

TEST(Compile, ExceptIsNoDeny)
{
    const Plan plan = with_ingress(
        Rules().rule({block("10.0.0.0/8", {"10.0.1.0/24"})}).rule({block("10.0.1.0/25")}));
    EXPECT_EQ(to_pod(plan, "shop/web", "10.0.1.200"), DENIED);
    EXPECT_EQ(to_pod(plan, "shop/web", "10.0.1.1"), allowed_by("shop/in[1]"));
    EXPECT_EQ(to_pod(plan, "shop/web", "10.0.2.1"), ALLOWED);
}

TEST(Compile, PortsOfAWideBlockHoldInNarrowerOnes)
{
    const Plan plan = with_ingress(
        Rules().rule({block("10.0.0.0/8")}, {port(80)}).rule({block("10.9.0.0/16")}, {port(443)}));
    EXPECT_EQ(to_pod(plan, "shop/web", "10.9.0.1", 80), ALLOWED);
    EXPECT_EQ(to_pod(plan, "shop/web", "10.9.0.1", 443), allowed_by("shop/in[1]"));
    EXPECT_EQ(to_pod(plan, "shop/web", "10.8.0.1", 443), DENIED);
}

TEST(Compile, BlocksOfEverythingKeepFamiliesApart)
{
    const Plan v4 = with_ingress(Rules().rule({block("0.0.0.0/0")}));
    EXPECT_EQ(to_pod(v4, "shop/web", "8.8.8.8"), ALLOWED);
    EXPECT_EQ(to_pod(v4, "shop/web", "2001:db8::1"), DENIED);
    const Plan v6 = with_ingress(Rules().rule({block("::/0")}));
    EXPECT_EQ(to_pod(v6, "shop/web", "8.8.8.8"), DENIED);
    EXPECT_EQ(to_pod(v6, "shop/web", "2001:db8::1"), ALLOWED);
}

TEST(Compile, PoliciesOnlyAdd)
{
    Scene scene = town();
    scene.add(ingress_policy("shop/in", WEB, Rules().rule({pods(DB)})));
    scene.add(ingress_policy("shop/closed", {}, {}));
    scene.add(ingress_policy("shop/more", {}, Rules().rule({block("192.0.2.0/24")})));
    const Plan plan = scene.plan();
    EXPECT_EQ(to_pod(plan, "shop/web", "10.0.0.2"), ALLOWED);
    EXPECT_EQ(to_pod(plan, "shop/web", "192.0.2.1"), allowed_by("shop/more[0]"));
    EXPECT_EQ(to_pod(plan, "shop/web", "8.8.8.8"), denied_by("isolation closed,in,more"));
}

TEST(Compile, EgressSelectsItsPeersAlike)
{
    const Plan plan = with_egress(Rules().rule({pods(DB), block("fd00:1::/64")}, {port(5432)}));
    EXPECT_EQ(from_pod(plan, "shop/web", "10.0.0.2", 5432), allowed_by("shop/out[0]"));
    EXPECT_EQ(from_pod(plan, "shop/web", "fd00:1::2", 5432), allowed_by("shop/out[0]"));
    EXPECT_EQ(from_pod(plan, "shop/web", "10.0.1.2", 5432), denied_by("isolation out"));
}

} // namespace
} // namespace ebpfd
