// SPDX-License-Identifier: Apache-2.0
#include "unit/policy/scene.h"

#include <gtest/gtest.h>

namespace ebpfd {
namespace {

const PlanEndpoint* endpoint_of(const Plan& plan, const std::string& pod)
{
    for (const PlanEndpoint& endpoint : plan.endpoints) {
        if (endpoint.pod_namespace + "/" + endpoint.pod == pod)
            return &endpoint;
    }
    return nullptr;
}

bool first_bits_equal(const uint8_t* one, const uint8_t* other, unsigned count)
{
    for (unsigned bit = 0; bit < count; ++bit) {
        const unsigned mask = 0x80u >> (bit % 8);
        if ((one[bit / 8] & mask) != (other[bit / 8] & mask))
            return false;
    }
    return true;
}

Bitmap cidr_row(const PlanRuleset& ruleset, const IpAddress& peer)
{
    const PlanCidr* longest = nullptr;
    for (const PlanCidr& entry : ruleset.cidrs) {
        const auto& [address, prefix] = entry.cidr;
        if (first_bits_equal(address.bytes.data(), peer.bytes.data(), prefix) &&
            (longest == nullptr || longest->cidr.prefix < prefix))
            longest = &entry;
    }
    return longest == nullptr ? Bitmap{} : longest->rules;
}

Bitmap port_row(const PlanRuleset& ruleset, uint8_t protocol, uint16_t port)
{
    const PlanPort* longest = nullptr;
    for (const PlanPort& entry : ruleset.ports) {
        if (entry.protocol == protocol && (entry.port ^ port) >> (16 - entry.prefix) == 0 &&
            (longest == nullptr || longest->prefix < entry.prefix))
            longest = &entry;
    }
    return longest == nullptr ? Bitmap{} : longest->rules;
}

Bitmap peer_row(const PlanRuleset& ruleset, uint32_t identity)
{
    for (const PlanPeer& peer : ruleset.peers) {
        if (peer.identity == identity)
            return peer.rules;
    }
    return {};
}

bool has_ports(uint8_t protocol)
{
    return protocol == 6 || protocol == 17 || protocol == 132;
}

// What the peer's address means, and the service whose final row decides, if it is one.
struct Peer {
    std::optional<uint32_t> identity;
    std::optional<uint32_t> service;
};

Peer find_peer(const Plan& plan, const IpAddress& address, uint16_t port, uint8_t protocol)
{
    Peer result;
    for (const PlanAddress& known : plan.addresses) {
        if (known.address == address && known.identity < PLAN_IDENTITY_SERVICE)
            result.identity = known.identity;
    }
    for (const PlanService& service : plan.services) {
        if (service.address == address && service.port == port && service.protocol == protocol)
            result.service = service.identity;
    }
    return result;
}

Bitmap matching(const PlanRuleset& ruleset, const Peer& peer, const IpAddress& address,
                uint16_t port, uint8_t protocol)
{
    if (peer.service)
        return peer_row(ruleset, *peer.service);
    const Bitmap none{};
    const Bitmap pods = peer.identity ? ruleset.any_pod : none;
    const Bitmap row = peer.identity ? peer_row(ruleset, *peer.identity) : none;
    const Bitmap cidr = cidr_row(ruleset, address);
    const Bitmap ports = has_ports(protocol) ? port_row(ruleset, protocol, port) : none;
    Bitmap result{};
    for (size_t word = 0; word < result.size(); ++word)
        result[word] = (ruleset.any_peer[word] | pods[word] | row[word] | cidr[word]) &
                       (ruleset.any_port[word] | ports[word]);
    return result;
}

std::string rule_text(const PlanRule& rule)
{
    if (rule.kind == RULE_SELF)
        return "self";
    if (rule.kind == RULE_ISOLATION)
        return "isolation " + rule.policy;
    if (rule.kind == RULE_CLUSTER_POLICY)
        return rule.policy + "[" + std::to_string(rule.index) + "]";
    return rule.policy_namespace + "/" + rule.policy + "[" + std::to_string(rule.index) + "]";
}

} // namespace

std::ostream& operator<<(std::ostream& out, const Outcome& outcome)
{
    return out << (outcome.allowed ? "allowed" : "denied") << " by '" << outcome.rule << "'";
}

Outcome allowed_by(std::string rule)
{
    return {true, std::move(rule)};
}

Outcome denied_by(std::string rule)
{
    return {false, std::move(rule)};
}

uint32_t ruleset_number(const Plan& plan, const std::string& pod, direction dir)
{
    const PlanEndpoint* endpoint = endpoint_of(plan, pod);
    EXPECT_NE(endpoint, nullptr) << pod;
    return endpoint == nullptr ? PLAN_RULESET_CLOSED : endpoint->ruleset[dir];
}

const PlanRuleset* ruleset_of(const Plan& plan, const std::string& pod, direction dir)
{
    const uint32_t number = ruleset_number(plan, pod, dir);
    return number < PLAN_RULESET_CLOSED ? &plan.rulesets.at(number) : nullptr;
}

Outcome judge(const Plan& plan, const std::string& pod, direction dir, std::string_view peer,
              uint16_t port, uint8_t protocol)
{
    const PlanRuleset* ruleset = ruleset_of(plan, pod, dir);
    if (ruleset == nullptr)
        return {ruleset_number(plan, pod, dir) == PLAN_RULESET_NONE, ""};
    const IpAddress address = ip(peer);
    const Peer known = find_peer(plan, address, port, protocol);
    const Bitmap rules = matching(*ruleset, known, address, port, protocol);
    for (uint32_t bit = 0; bit < ruleset->bits.size(); ++bit) {
        const PlanBit& decider = ruleset->bits[bit];
        if (!has_bit(rules, bit))
            continue;
        if (decider.action != ACTION_PASS)
            return {decider.action == ACTION_ALLOW, rule_text(plan.rules.at(decider.rule))};
        bit = ruleset->tier_end[decider.in_tier] - 1u;
    }
    return NO_RULE;
}

Outcome to_pod(const Plan& plan, const std::string& pod, std::string_view from, uint16_t port,
               uint8_t protocol)
{
    return judge(plan, pod, DIRECTION_INGRESS, from, port, protocol);
}

Outcome from_pod(const Plan& plan, const std::string& pod, std::string_view to, uint16_t port,
                 uint8_t protocol)
{
    return judge(plan, pod, DIRECTION_EGRESS, to, port, protocol);
}

} // namespace ebpfd
