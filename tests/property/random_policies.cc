// SPDX-License-Identifier: Apache-2.0
#include "property/scenario.h"
#include "property/vocabulary.h"

#include <algorithm>

using namespace ebpfd;

namespace property {

static Requirement random_requirement(Dice& dice, const std::vector<std::string>& keys)
{
    using enum Requirement::Operator;
    Requirement requirement{.key = dice.pick(keys), .op = in, .values = {}};
    if (dice.chance(30)) {
        requirement.op = dice.chance(50) ? exists : does_not_exist;
        return requirement;
    }
    requirement.op = dice.chance(75) ? in : not_in;
    for (size_t left = dice.between(1, 2); left > 0; --left)
        requirement.values.push_back(dice.pick(label_values()));
    std::ranges::sort(requirement.values);
    const auto repeated = std::ranges::unique(requirement.values);
    requirement.values.erase(repeated.begin(), repeated.end());
    return requirement;
}

static Selector random_selector(Dice& dice, const std::vector<std::string>& keys)
{
    Selector selector;
    if (dice.chance(40))
        return selector;
    for (size_t left = dice.between(1, 2); left > 0; --left)
        selector.requirements.push_back(random_requirement(dice, keys));
    std::ranges::sort(selector.requirements);
    return selector;
}

static Selector random_namespace_selector(Dice& dice)
{
    if (dice.chance(70))
        return random_selector(dice, label_keys());
    Requirement by_name{.key = "kubernetes.io/metadata.name",
                        .op = dice.chance(70) ? Requirement::Operator::in
                                              : Requirement::Operator::not_in,
                        .values = {dice.pick(namespace_names())}};
    return {.requirements = {by_name}};
}

static bool strictly_inside(const Cidr& inner, const Cidr& outer)
{
    return inner != outer && inner.prefix > outer.prefix && outer.contains(inner);
}

static IpBlock random_block(Dice& dice)
{
    const std::vector<Cidr>& blocks = dice.pick(families()).blocks;
    IpBlock block{.cidr = dice.pick(blocks), .except = {}};
    for (size_t left = dice.below(3); left > 0; --left) {
        const Cidr& except = dice.pick(blocks);
        if (strictly_inside(except, block.cidr))
            block.except.push_back(except);
    }
    return block;
}

static PolicyPeer random_peer(Dice& dice)
{
    PolicyPeer peer;
    const size_t shape = dice.below(100);
    if (shape < 35) {
        peer.block = random_block(dice);
        return peer;
    }
    if (shape < 75)
        peer.pods = random_selector(dice, label_keys());
    if (shape >= 55)
        peer.namespaces = random_namespace_selector(dice);
    return peer;
}

// Of a rule of a cluster-wide policy; blocks and nodes for egress alone.
static PolicyPeer random_cluster_peer(Dice& dice, bool egress)
{
    PolicyPeer peer;
    const size_t shape = dice.below(100);
    if (egress && shape < 25) {
        peer.block = IpBlock{.cidr = dice.pick(dice.pick(families()).blocks), .except = {}};
    } else if (egress && shape < 40) {
        peer.nodes = random_selector(dice, label_keys());
    } else {
        peer.namespaces = random_namespace_selector(dice);
        if (shape < 80)
            peer.pods = random_selector(dice, label_keys());
    }
    return peer;
}

static PolicyPort random_port(Dice& dice)
{
    PolicyPort port{.protocol = dice.chance(60) ? Protocol::tcp : dice.pick(protocols()),
                    .port = PortRange{}};
    const size_t shape = dice.below(100);
    if (shape < 15)
        return port;
    if (shape < 45) {
        port.port = dice.pick(port_names());
        return port;
    }
    PortRange range;
    range.first =
        shape < 90 ? dice.pick(port_numbers()) : static_cast<uint16_t>(dice.between(1, 65535));
    range.last = range.first;
    if (shape >= 70)
        range.last = static_cast<uint16_t>(dice.between(range.first, 65535));
    port.port = range;
    return port;
}

static std::vector<PolicyRule> random_rules(Dice& dice)
{
    std::vector<PolicyRule> rules(dice.below(4));
    for (PolicyRule& rule : rules) {
        if (dice.chance(80))
            for (size_t left = dice.between(1, 3); left > 0; --left)
                rule.peers.push_back(random_peer(dice));
        if (dice.chance(70))
            for (size_t left = dice.between(1, 3); left > 0; --left)
                rule.ports.push_back(random_port(dice));
    }
    return rules;
}

std::string random_namespace(Dice& dice)
{
    return dice.chance(60) ? "default" : dice.pick(namespace_names());
}

// So many rules in front of all others that those stand in later words of the bitmaps.
static NetworkPolicy crowd(Dice& dice)
{
    PolicyRule rule;
    rule.peers.push_back({.block = IpBlock{.cidr = *Cidr::parse("203.0.113.0/24"), .except = {}},
                          .namespaces = {},
                          .pods = {}});
    NetworkPolicy policy;
    policy.name = "crowd";
    policy.ingress.emplace(dice.between(60, 300), rule);
    policy.egress.emplace(dice.between(60, 300), rule);
    return policy;
}

std::vector<NetworkPolicy> random_policies(Dice& dice)
{
    std::vector<NetworkPolicy> policies(dice.below(7));
    for (size_t number = 0; number < policies.size(); ++number) {
        NetworkPolicy& policy = policies[number];
        policy.policy_namespace = random_namespace(dice);
        policy.name = "p" + std::to_string(number);
        policy.pod_selector = random_selector(dice, label_keys());
        policy.dry_run = dice.chance(25);
        if (dice.chance(70))
            policy.ingress = random_rules(dice);
        if (dice.chance(60))
            policy.egress = random_rules(dice);
    }
    if (dice.chance(3))
        policies.push_back(crowd(dice));
    dice.shuffle(policies);
    return policies;
}

static PolicyRule random_cluster_rule(Dice& dice, bool egress)
{
    PolicyRule rule;
    const size_t action = dice.below(100);
    rule.action = action < 40 ? ACTION_ALLOW : action < 75 ? ACTION_DENY : ACTION_PASS;
    rule.nobody = dice.chance(4);
    if (!rule.nobody && dice.chance(96)) // else a rule that denies everything
        for (size_t left = dice.between(1, 3); left > 0; --left)
            rule.peers.push_back(random_cluster_peer(dice, egress));
    if (dice.chance(60))
        for (size_t left = dice.between(1, 3); left > 0; --left)
            rule.ports.push_back(random_port(dice));
    return rule;
}

static std::vector<PolicyRule> random_cluster_rules(Dice& dice, bool egress)
{
    std::vector<PolicyRule> rules(dice.below(4));
    for (PolicyRule& rule : rules)
        rule = random_cluster_rule(dice, egress);
    return rules;
}

std::vector<ClusterPolicy> random_cluster_policies(Dice& dice)
{
    std::vector<ClusterPolicy> policies(dice.chance(40) ? 0 : dice.between(1, 5));
    for (size_t number = 0; number < policies.size(); ++number) {
        ClusterPolicy& policy = policies[number];
        policy.kind = "ClusterNetworkPolicy";
        policy.name = "c" + std::to_string(number);
        policy.in_tier = dice.chance(60) ? TIER_ADMIN : TIER_BASELINE;
        policy.priority = static_cast<uint32_t>(dice.below(3)); // some are equal
        policy.dry_run = dice.chance(25);
        policy.namespaces = random_namespace_selector(dice);
        policy.pods = random_selector(dice, label_keys());
        policy.ingress = random_cluster_rules(dice, false);
        policy.egress = random_cluster_rules(dice, true);
    }
    dice.shuffle(policies);
    return policies;
}

} // namespace property
