// SPDX-License-Identifier: Apache-2.0
#include "analysis/impact.h"
#include "unit/policy/scene.h"

#include <gtest/gtest.h>

namespace ebpfd {
namespace {

// web, db and api on this node; web asks db.
struct Impacts : testing::Test {
    Scene scene;
    std::vector<Sighting> seen;

    Impacts()
    {
        scene.local("shop/web", {{"app", "web"}}, {"10.1.0.10"});
        scene.local("shop/db", {{"app", "db"}}, {"10.1.0.20"});
        scene.local("ops/api", {{"app", "api"}}, {"10.1.0.30"});
        scene.pod("shop/far", {{"app", "db"}}, {"10.2.0.20"});
    }
    uint32_t interface(std::string_view address) const
    {
        return AddressBook(scene.world).local_interface(ip(address)).value_or(0);
    }
    Sighting& see(direction dir, std::string_view pod, std::string_view peer, uint16_t port)
    {
        Sighting sighting;
        sighting.question = {
            .ifindex = interface(pod), .dir = dir, .pod = ip(pod), .peer = ip(peer), .port = port};
        sighting.source_port = static_cast<uint16_t>(40000 + seen.size());
        sighting.passed = true;
        sighting.seen_ns = static_cast<int64_t>(seen.size());
        return seen.emplace_back(sighting);
    }
    // Both sides of a connection between two local pods.
    void see_both(std::string_view from, std::string_view to, uint16_t port, bool open)
    {
        const Sighting out = see(DIRECTION_EGRESS, from, to, port);
        seen.back().open = open;
        see(DIRECTION_INGRESS, to, from, port).source_port = out.source_port;
        seen.back().open = open;
    }
    void see_refused(direction dir, std::string_view pod, std::string_view peer, uint16_t port)
    {
        see(dir, pod, peer, port).passed = false;
    }
    Impact impact(const std::vector<NetworkPolicy>& added) const
    {
        Scene next = scene;
        for (const NetworkPolicy& policy : added)
            next.add(policy);
        const AddressBook book(scene.world);
        return compare_rulings(scene.plan(), next.plan(), join(seen, book), book);
    }
};

NetworkPolicy db_lets_in(Rules rules)
{
    return ingress_policy("shop/db", {{"app", "db"}}, std::move(rules));
}

TEST_F(Impacts, AConnectionThatTwoPodsSeeIsOne)
{
    see_both("10.1.0.10", "10.1.0.20", 5432, true);
    const Impact found = impact({db_lets_in({})});
    EXPECT_EQ(found.judged, 1u);
    EXPECT_EQ(found.open, 1u);
    EXPECT_EQ(found.cut, 1u);
    EXPECT_EQ(found.cut_open, 1u);
    ASSERT_EQ(found.groups.size(), 1u);
    const ImpactGroup& group = found.groups[0];
    EXPECT_TRUE(group.cut);
    EXPECT_EQ(group.source, (Workload{"", "shop", "web"}));
    EXPECT_EQ(group.destination, (Workload{"", "shop", "db"}));
    EXPECT_EQ(group.dir, DIRECTION_INGRESS);
    EXPECT_EQ(group.before.why, REASON_NO_POLICY);
    ASSERT_TRUE(group.after.rule);
    EXPECT_EQ(group.after.rule->kind, RULE_ISOLATION);
}

TEST_F(Impacts, TheSourcesEgressDecidesToo)
{
    see_both("10.1.0.10", "10.1.0.20", 5432, false);
    const Impact found = impact({egress_policy("shop/web", {{"app", "web"}}, {})});
    ASSERT_EQ(found.groups.size(), 1u);
    EXPECT_EQ(found.groups[0].dir, DIRECTION_EGRESS);
    EXPECT_EQ(found.cut_open, 0u);
}

TEST_F(Impacts, WhatIsAllowedStillIsUnchanged)
{
    see_both("10.1.0.10", "10.1.0.20", 5432, true);
    const Impact found = impact({db_lets_in(Rules{}.rule({pods({{"app", "web"}})}, {port(5432)}))});
    EXPECT_EQ(found.unchanged, 1u);
    EXPECT_TRUE(found.groups.empty());
}

TEST_F(Impacts, AnAttemptIsNewlyAllowedOnlyIfBothSidesAllow)
{
    scene.add(egress_policy("shop/web", {{"app", "web"}}, {}));
    see_refused(DIRECTION_EGRESS, "10.1.0.10", "10.1.0.20", 5432);
    const NetworkPolicy out = egress_policy("shop/more", {{"app", "web"}}, Rules{}.rule({}));
    const Impact found = impact({out});
    EXPECT_EQ(found.newly_allowed, 1u);
    ASSERT_EQ(found.groups.size(), 1u);
    EXPECT_FALSE(found.groups[0].cut);
    ASSERT_TRUE(found.groups[0].before.rule && found.groups[0].after.rule);
    EXPECT_EQ(found.groups[0].before.rule->kind, RULE_ISOLATION);
    EXPECT_EQ(found.groups[0].after.rule->policy, "more");
    EXPECT_EQ(impact({out, db_lets_in({})}).newly_allowed, 0u);
}

TEST_F(Impacts, AServicesClientAndBackendSeeOneConnection)
{
    scene.service("shop/db", "10.96.0.1", {{"", Protocol::tcp, 80}});
    scene.slice("shop/db", {{"", Protocol::tcp, 5432}}, {"10.1.0.20", "10.2.0.20"});
    const Sighting out = see(DIRECTION_EGRESS, "10.1.0.10", "10.96.0.1", 80);
    see(DIRECTION_INGRESS, "10.1.0.20", "10.1.0.10", 5432).source_port = out.source_port;
    const Impact found = impact({db_lets_in({})});
    EXPECT_EQ(found.judged, 1u);
    ASSERT_EQ(found.groups.size(), 1u);
    EXPECT_EQ(found.groups[0].destination, (Workload{"", "shop", "db"}));
    EXPECT_EQ(found.groups[0].port, 5432);
}

TEST_F(Impacts, AnAttemptAtAServiceMayGetToABackendElsewhere)
{
    scene.service("shop/db", "10.96.0.1", {{"", Protocol::tcp, 80}});
    scene.slice("shop/db", {{"", Protocol::tcp, 5432}}, {"10.1.0.20"});
    scene.add(egress_policy("shop/web", {{"app", "web"}}, {}));
    scene.add(db_lets_in({}));
    see_refused(DIRECTION_EGRESS, "10.1.0.10", "10.96.0.1", 80);
    const NetworkPolicy out = egress_policy("shop/more", {{"app", "web"}}, Rules{}.rule({}));
    EXPECT_EQ(impact({out}).newly_allowed, 0u);
    scene.slice("shop/db", {{"", Protocol::tcp, 5432}}, {"10.2.0.20"});
    const Impact found = impact({out});
    EXPECT_EQ(found.newly_allowed, 1u);
    ASSERT_EQ(found.groups.size(), 1u);
    EXPECT_EQ(found.groups[0].destination, (Workload{"Service", "shop", "db"}));
}

TEST_F(Impacts, WhatOneEndLetOutAndTheOtherRefusedHasNotPassed)
{
    see_both("10.1.0.10", "10.1.0.20", 5432, false);
    const AddressBook book(scene.world);
    EXPECT_TRUE(join(seen, book).at(0).passed);
    seen.back().passed = false;
    ASSERT_EQ(join(seen, book).size(), 1u);
    EXPECT_FALSE(join(seen, book)[0].passed);
}

TEST_F(Impacts, ManyClientsOfOneBlockAreOneLine)
{
    for (int client = 1; client <= 9; ++client)
        see(DIRECTION_INGRESS, "10.1.0.20", "203.0.113." + std::to_string(client), 80);
    see(DIRECTION_INGRESS, "10.1.0.20", "198.51.100.7", 80);
    const Impact found = impact({db_lets_in({})});
    ASSERT_EQ(found.groups.size(), 2u);
    EXPECT_EQ(found.groups[0].source.name, "203.0.113.0/24");
    EXPECT_EQ(found.groups[0].flows, 9u);
    EXPECT_EQ(found.groups[0].example.source, ip("203.0.113.9"));
    EXPECT_EQ(found.groups[1].source.name, "198.51.100.7");
}

} // namespace
} // namespace ebpfd
