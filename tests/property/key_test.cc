// SPDX-License-Identifier: Apache-2.0
#include "policy/compile.h"
#include "property/check.h"
#include "property/scenario.h"

#include <algorithm>
#include <fmt/format.h>
#include <iostream>
#include <map>
#include <set>

using namespace ebpfd;

namespace property {

static constexpr int worlds = 1000;

// What a rule set says, with names instead of indexes.
struct Content {
    std::vector<std::string> bits;
    std::vector<Bitmap> any;
    std::set<std::tuple<Cidr, Bitmap>> cidrs;
    std::set<std::tuple<uint8_t, uint16_t, uint8_t, Bitmap>> ports;
    std::map<std::string, Bitmap> peers;
};

static Content content_of(const Plan& plan, const PlanRuleset& set)
{
    Content content{.bits = {},
                    .any = {set.any_peer, set.any_pod, set.any_port},
                    .cidrs = {},
                    .ports = {},
                    .peers = {}};
    for (const PlanBit& bit : set.bits)
        content.bits.push_back(fmt::format("{} action {} tier {}", plan.rules.at(bit.rule).key,
                                           static_cast<int>(bit.action),
                                           static_cast<int>(bit.in_tier)));
    for (const PlanCidr& row : set.cidrs)
        content.cidrs.emplace(row.cidr, row.rules);
    for (const PlanPort& row : set.ports)
        content.ports.emplace(row.protocol, row.port, row.prefix, row.rules);
    for (const PlanPeer& row : set.peers)
        content.peers[plan.identities.at(row.identity).key] = row.rules;
    return content;
}

static std::set<std::string> identity_keys(const Plan& plan)
{
    std::set<std::string> keys;
    for (const PlanIdentity& identity : plan.identities)
        keys.insert(identity.key);
    return keys;
}

static Bitmap row_of(const Content& content, const std::string& identity)
{
    const auto row = content.peers.find(identity);
    return row == content.peers.end() ? Bitmap{} : row->second;
}

static std::string rule_meaning(const PlanRule& rule)
{
    return fmt::format("{} {} {} {} {}/{}", static_cast<int>(rule.kind), static_cast<int>(rule.dir),
                       static_cast<int>(rule.action), rule.index, rule.policy_namespace,
                       rule.policy);
}

static void expect_same_rules(const Plan& one, const Plan& other)
{
    std::map<std::string, std::string> meanings;
    for (const PlanRule& rule : one.rules)
        meanings[rule.key] = rule_meaning(rule);
    for (const PlanRule& rule : other.rules)
        if (meanings.contains(rule.key) && meanings[rule.key] != rule_meaning(rule))
            RC_FAIL("one rule key, two meanings: " + rule.key);
}

// Rows of identities that only one of the plans knows may differ: those come and go.
static void expect_same_content(const Plan& one, const PlanRuleset& set, const Plan& other,
                                const PlanRuleset& twin)
{
    const Content a = content_of(one, set);
    const Content b = content_of(other, twin);
    if (a.bits != b.bits || a.any != b.any || a.cidrs != b.cidrs || a.ports != b.ports)
        RC_FAIL("one rule set key, two contents: " + set.key);
    const std::set<std::string> known = identity_keys(other);
    for (const std::string& identity : identity_keys(one))
        if (known.contains(identity) && row_of(a, identity) != row_of(b, identity))
            RC_FAIL(fmt::format("rule set {}: two rows for {}", set.key, identity));
}

// Returns how many rule sets both plans have. A place that is empty has no key.
static size_t expect_same_sets(const Plan& one, const Plan& other)
{
    size_t shared = 0;
    for (const PlanRuleset& set : one.rulesets)
        for (const PlanRuleset& twin : other.rulesets)
            if (!set.key.empty() && set.key == twin.key) {
                expect_same_content(one, set, other, twin);
                ++shared;
            }
    return shared;
}

// Services as they were, but behind other ports or other addresses.
static World redirected(const World& world, uint16_t port_change, uint8_t address_change)
{
    World changed = world;
    for (auto& slice : changed.slices.edit()) {
        EndpointSlice copy = *slice;
        for (ServicePort& port : copy.ports)
            port.port ^= port_change;
        for (IpAddress& address : copy.ready_addresses)
            address.bytes.back() ^= address_change;
        slice = std::make_shared<EndpointSlice>(std::move(copy));
    }
    return changed;
}

// Worlds that have much in common with one, by what they lack or took from the other.
static std::vector<World> relatives(const Scenario& one, const Scenario& other)
{
    std::vector<World> all;
    const std::vector<Scenario> less = smaller(one);
    const size_t stride = 1 + less.size() / 100;
    for (size_t index = 0; index < less.size(); index += stride)
        all.push_back(less[index].world);
    all.push_back(redirected(one.world, 1, 0));
    all.push_back(redirected(one.world, 0, 1));
    World crossed = one.world;
    crossed.policies = other.world.policies;
    all.push_back(crossed);
    crossed.cluster_policies = other.world.cluster_policies;
    all.push_back(crossed);
    crossed.nodes = other.world.nodes;
    all.push_back(crossed);
    crossed = one.world;
    crossed.pods = other.world.pods;
    crossed.interfaces = other.world.interfaces;
    all.push_back(crossed);
    crossed = one.world;
    crossed.services = other.world.services;
    all.push_back(crossed);
    crossed = one.world;
    crossed.slices = other.world.slices;
    all.push_back(crossed);
    crossed.namespaces = other.world.namespaces;
    all.push_back(crossed);
    return all;
}

// apply() keeps what has the key of something in the kernel: so a key must say it all.
TEST(Keys, OneKeyMeansOneContentInEveryWorld)
{
    size_t shared = 0;
    check(worlds, [&](const Scenario& scenario, const Scenario& other) {
        const Result<Plan> plan = compile(scenario.world);
        RC_ASSERT(plan.has_value());
        for (const World& relative : relatives(scenario, other)) {
            const Result<Plan> changed = compile(relative);
            RC_ASSERT(changed.has_value());
            expect_same_rules(*plan, *changed);
            shared += expect_same_sets(*plan, *changed);
        }
    });
    std::cout << shared << " rule sets met again in a changed world\n";
    EXPECT_GE(shared, 10 * worlds);
}

// The plan without its numbers: every line names one entry of a map in full.
static std::set<std::string> entries(const Plan& plan)
{
    std::set<std::string> lines;
    const auto set_name = [&](uint32_t set) {
        return set < PLAN_RULESET_CLOSED ? plan.rulesets.at(set).key : std::to_string(set);
    };
    const auto identity_name = [&](uint32_t identity) {
        return identity < PLAN_IDENTITY_SERVICE ? plan.identities.at(identity).key
                                                : std::to_string(identity);
    };
    for (const PlanRule& rule : plan.rules)
        lines.insert("rule " + rule.key);
    for (const PlanAddress& address : plan.addresses)
        lines.insert(address.address.text() + " is " + identity_name(address.identity));
    for (const PlanService& service : plan.services)
        lines.insert(fmt::format("{} {} {} is {}", service.address.text(), service.port,
                                 service.protocol, identity_name(service.identity)));
    for (const PlanEndpoint& endpoint : plan.endpoints)
        lines.insert(fmt::format("{} {} has {} and {}", endpoint.ifindex, endpoint.pod,
                                 set_name(endpoint.ruleset[0]), set_name(endpoint.ruleset[1])));
    return lines;
}

// Directories are read in no order that means anything.
TEST(Keys, PlanDoesNotDependOnTheOrderOfTheWorld)
{
    check(worlds, [](const Scenario& scenario) {
        World turned = scenario.world;
        std::ranges::reverse(turned.policies.edit());
        std::ranges::reverse(turned.pods.edit());
        std::ranges::reverse(turned.namespaces.edit());
        std::ranges::reverse(turned.services.edit());
        std::ranges::reverse(turned.slices.edit());
        std::ranges::reverse(turned.interfaces);
        const Result<Plan> plan = compile(scenario.world);
        const Result<Plan> other = compile(turned);
        RC_ASSERT(plan.has_value() && other.has_value());
        RC_ASSERT(entries(*plan) == entries(*other));
        expect_same_rules(*plan, *other);
        RC_ASSERT(plan->rulesets.count() == other->rulesets.count());
        RC_ASSERT(expect_same_sets(*plan, *other) == plan->rulesets.count());
    });
}

} // namespace property
