// SPDX-License-Identifier: Apache-2.0
#include "unit/policy/scene.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>

namespace ebpfd {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;

const Labels WEB{{"app", "web"}};
const Labels DB{{"app", "db"}};

Scene crowd()
{
    Scene scene;
    for (int number = 1; number <= 4; ++number) {
        const auto text = std::to_string(number);
        scene.local("shop/web-" + text, WEB, {"10.0.0." + text});
    }
    scene.pod("shop/db", DB, {"10.0.0.9"});
    scene.add(ingress_policy(
        "shop/in", WEB, Rules().rule({pods(DB), block("10.0.0.0/8")}, {port(80), named("http")})));
    scene.add(egress_policy("shop/out", {}, Rules().rule({pods(DB)}, {ports(1, 99)})));
    return scene;
}

void print(std::ostream& out, const Bitmap& bitmap)
{
    for (const uint64_t word : bitmap)
        out << word << ',';
}

void print(std::ostream& out, const PlanRuleset& ruleset)
{
    out << ruleset.key << '\n';
    for (const PlanBit& bit : ruleset.bits)
        out << bit.rule << ' ' << bit.action << ' ' << bit.in_tier << '\n';
    for (const Bitmap* bitmap : {&ruleset.any_peer, &ruleset.any_pod, &ruleset.any_port})
        print(out, *bitmap);
    for (const PlanPeer& peer : ruleset.peers)
        print(out << '\n' << peer.identity << ' ', peer.rules);
    for (const PlanCidr& cidr : ruleset.cidrs)
        print(out << '\n' << cidr.cidr.text() << ' ', cidr.rules);
    for (const PlanPort& port : ruleset.ports)
        print(out << '\n'
                  << int{port.protocol} << ' ' << port.port << '/' << int{port.prefix} << ' ',
              port.rules);
}

// All of the plan as text.
std::string printed(const Plan& plan)
{
    std::ostringstream out;
    for (const PlanRule& rule : plan.rules)
        out << rule.key << ' ' << rule.policy << ' ' << rule.origin.line << '\n';
    for (const PlanRuleset& ruleset : plan.rulesets)
        print(out, ruleset);
    for (const PlanIdentity& identity : plan.identities)
        out << identity.key << '\n';
    for (const PlanAddress& address : plan.addresses)
        out << address.address.text() << ' ' << address.identity << '\n';
    for (const PlanService& service : plan.services)
        out << service.address.text() << ' ' << service.port << ' ' << service.identity << '\n';
    for (const PlanEndpoint& endpoint : plan.endpoints)
        out << endpoint.ifindex << ' ' << endpoint.pod << ' ' << endpoint.ruleset[0] << ' '
            << endpoint.ruleset[1] << '\n';
    for (const std::string& warning : plan.warnings)
        out << warning << '\n';
    return out.str();
}

TEST(Compile, EqualRulesShareARuleSet)
{
    const Plan plan = crowd().plan();
    EXPECT_EQ(plan.rulesets.size(), 2u);
    for (const direction dir : {DIRECTION_INGRESS, DIRECTION_EGRESS})
        EXPECT_EQ(ruleset_number(plan, "shop/web-1", dir), ruleset_number(plan, "shop/web-4", dir));
}

TEST(Compile, NamedPortsDecideWhetherPodsShare)
{
    Scene scene = crowd();
    scene.local("shop/x", WEB, {"10.0.0.5"}).ports = {{"http", Protocol::tcp, 8080}};
    scene.local("shop/y", WEB, {"10.0.0.6"}).ports = {{"http", Protocol::tcp, 8080},
                                                      {"idle", Protocol::tcp, 1}};
    const Plan plan = scene.plan();
    const auto of = [&](const char* pod) { return ruleset_number(plan, pod, DIRECTION_INGRESS); };
    EXPECT_EQ(of("shop/x"), of("shop/y"));
    EXPECT_NE(of("shop/x"), of("shop/web-1"));
}

TEST(Compile, NewPodAddsPeerRowsUnderTheSameKey)
{
    Scene scene = crowd();
    const Plan before = scene.plan();
    scene.pod("shop/db-2", {{"app", "db"}, {"new", "yes"}}, {"10.0.0.77"});
    const Plan after = scene.plan();
    ASSERT_EQ(before.rulesets.size(), after.rulesets.size());
    for (size_t index = 0; index < before.rulesets.size(); ++index) {
        EXPECT_EQ(before.rulesets[index].key, after.rulesets[index].key);
        EXPECT_EQ(before.rulesets[index].peers.size() + 1, after.rulesets[index].peers.size());
    }
}

TEST(Compile, EveryChangeOfMeaningChangesTheKey)
{
    const auto key = [](const Rules& rules) {
        Scene scene;
        scene.local("shop/web", WEB, {"10.0.0.1"});
        scene.add(ingress_policy("shop/p", {}, rules));
        return ruleset_of(scene.plan(), "shop/web", DIRECTION_INGRESS)->key;
    };
    const std::vector<std::string> keys{
        key({}),
        key(Rules().rule({})),
        key(Rules().rule({}, {port(80)})),
        key(Rules().rule({}, {port(80, Protocol::udp)})),
        key(Rules().rule({pods({})})),
        key(Rules().rule({namespaces({})})),
        key(Rules().rule({pods(DB)})),
        key(Rules().rule({namespaces(DB)})),
        key(Rules().rule({pods_in(DB, DB)})),
        key(Rules().rule({block("10.0.0.0/8")})),
        key(Rules().rule({block("10.0.0.0/8", {"10.1.0.0/16"})})),
        key(Rules().rule({block("10.0.0.0/8"), block("10.1.0.0/16")})),
    };
    const std::set<std::string> distinct(keys.begin(), keys.end());
    EXPECT_EQ(distinct.size(), keys.size());
}

TEST(Compile, SpellingOfARuleDoesNotChangeTheKey)
{
    const auto key = [](const Rules& rules) {
        Scene scene;
        scene.local("shop/web", WEB, {"10.0.0.1"});
        scene.add(ingress_policy("shop/p", {}, rules));
        return ruleset_of(scene.plan(), "shop/web", DIRECTION_INGRESS)->key;
    };
    EXPECT_EQ(key(Rules().rule({pods(DB), pods(WEB)}, {port(1), port(2)})),
              key(Rules().rule({pods(WEB), pods(DB), pods(WEB)}, {ports(1, 2)})));
}

TEST(Compile, OrderOfTheWorldDoesNotMatter)
{
    Scene scene = crowd();
    scene.pod("bank/db", DB, {"10.0.1.9", "fd00::9"});
    scene.service("shop/sql", "10.96.0.1", {{"", Protocol::tcp, 80}});
    scene.slice("shop/sql", {{"", Protocol::tcp, 81}}, {"10.0.0.9", "10.0.0.1"});
    scene.slice("shop/sql", {{"", Protocol::tcp, 82}}, {"10.0.1.9"});
    const std::string straight = printed(scene.plan());
    std::ranges::reverse(scene.world.pods.edit());
    std::ranges::reverse(scene.world.policies.edit());
    std::ranges::reverse(scene.world.slices.edit());
    std::ranges::reverse(scene.world.interfaces);
    EXPECT_EQ(printed(scene.plan()), straight);
}

TEST(Compile, IsolationIsTheLastRuleOfTheTier)
{
    const Plan plan = crowd().plan();
    const PlanRuleset& ruleset = *ruleset_of(plan, "shop/web-1", DIRECTION_EGRESS);
    EXPECT_THAT(ruleset.tier_end, ElementsAre(0, 2, 2));
    const PlanRule& last = plan.rules.at(ruleset.bits.back().rule);
    EXPECT_EQ(last.kind, RULE_ISOLATION);
    EXPECT_EQ(last.action, ACTION_DENY);
    EXPECT_EQ(last.policy, "out");
    EXPECT_EQ(last.policy_namespace, "shop");
    EXPECT_EQ(last.origin.file, "policy.yaml");
}

Scene with_rules(size_t count)
{
    Scene scene;
    scene.local("shop/web", WEB, {"10.0.0.1"});
    Rules rules;
    for (size_t number = 0; number < count; ++number)
        rules.rule({}, {port(static_cast<uint16_t>(number + 1))});
    scene.add(ingress_policy("shop/long", {}, rules));
    return scene;
}

TEST(Compile, FullRuleSetWorksToItsLastBit)
{
    const Plan plan = with_rules(RULES_MAX - 1).plan();
    EXPECT_EQ(ruleset_of(plan, "shop/web", DIRECTION_INGRESS)->bits.size(), RULES_MAX);
    EXPECT_EQ(to_pod(plan, "shop/web", "8.8.8.8", RULES_MAX - 1),
              allowed_by("shop/long[" + std::to_string(RULES_MAX - 2) + "]"));
    EXPECT_EQ(to_pod(plan, "shop/web", "8.8.8.8", RULES_MAX), denied_by("isolation long"));
}

TEST(Compile, TooManyRulesAreRefusedWithPodAndPolicies)
{
    const auto plan = compile(with_rules(RULES_MAX).world);
    ASSERT_FALSE(plan);
    EXPECT_THAT(plan.error().message, HasSubstr("shop/web"));
    EXPECT_THAT(plan.error().message, HasSubstr("shop/long"));
    EXPECT_THAT(plan.error().message, HasSubstr("513"));
}

TEST(Compile, OfManyPoliciesAMessageNamesTheFirst)
{
    Scene scene;
    scene.local("shop/web", WEB, {"10.0.0.1"});
    for (size_t number = 0; number < RULES_MAX; ++number)
        scene.add(ingress_policy("shop/p" + std::to_string(number), {}, Rules().rule({})));
    const auto plan = compile(scene.world);
    ASSERT_FALSE(plan);
    EXPECT_THAT(plan.error().message, EndsWith(" and 504 more"));
}

TEST(Compile, PolicyGivenTwiceCountsOnceWithAWarning)
{
    Scene scene;
    scene.local("shop/web", WEB, {"10.0.0.1"});
    NetworkPolicy late = ingress_policy("shop/p", {}, Rules().rule({}));
    late.origin.file = "z.yaml";
    scene.add(late);
    scene.add(ingress_policy("shop/p", {}, {}));
    const Plan plan = scene.plan();
    EXPECT_EQ(to_pod(plan, "shop/web", "8.8.8.8"), allowed_by("shop/p[0]"));
    EXPECT_THAT(plan.warnings, ElementsAre(HasSubstr("z.yaml")));
}

} // namespace
} // namespace ebpfd
