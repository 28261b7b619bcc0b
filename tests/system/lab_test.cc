// SPDX-License-Identifier: Apache-2.0
#include "system/world.h"

namespace system_test {
namespace {

// What the other tests rest on: where something is blocked, ebpfd did it.
class WithoutAgent : public testing::TestWithParam<std::tuple<Wiring, Family>> {};

TEST_P(WithoutAgent, EverybodyReachesEverybody)
{
    const auto [wiring, family] = GetParam();
    const auto world = World::make(wiring);
    ASSERT_NE(world, nullptr);
    std::vector<Attempt> attempts;
    for (const std::string from : {"web", "db", "api", "scan", "node", "outside"})
        for (const std::string to : {"web", "db", "api", "scan", "outside"}) {
            attempts.push_back(yes(from, to, 5432));
            attempts.push_back(udp(from, to, 53, true));
            attempts.push_back(icmp(from, to, true));
        }
    attempts.push_back(yes("web", "service", 80));
    EXPECT_TRUE(world->traffic(attempts, family));
}

TEST_P(WithoutAgent, RawFramesArrive)
{
    const auto [wiring, family] = GetParam();
    const auto world = World::make(wiring);
    ASSERT_NE(world, nullptr);
    const auto& web = world->machine("web");
    const auto& db = world->machine("db");
    auto sctp = world->node().packet(web, db, family);
    EXPECT_TRUE(lab::arrives(web, db, sctp.sctp(7, 7).payload("sctp here").bytes(), "sctp here",
                             lab::patience));
    auto own = world->node().frame(web);
    if (family == Family::v4)
        own.ipv4(web.v4, web.v4);
    else
        own.ipv6(web.v6, web.v6);
    EXPECT_TRUE(lab::arrives(web, web, own.udp(9, 9).payload("back home").bytes(), "back home",
                             lab::patience));
}

INSTANTIATE_TEST_SUITE_P(Lab, WithoutAgent, every_node, node_name);

} // namespace
} // namespace system_test
