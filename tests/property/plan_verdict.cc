// SPDX-License-Identifier: Apache-2.0
#include "property/verdict.h"

#include <algorithm>
#include <optional>

using namespace ebpfd;

namespace property {

static bool same_bits(const uint8_t* a, const uint8_t* b, unsigned count)
{
    for (unsigned bit = 0; bit < count; ++bit)
        if (((a[bit / 8] ^ b[bit / 8]) >> (7 - bit % 8)) & 1)
            return false;
    return true;
}

static Bitmap peer_row(const std::vector<PlanPeer>& rows, uint32_t identity)
{
    for (const PlanPeer& row : rows)
        if (row.identity == identity)
            return row.rules;
    return {};
}

// The longest prefix around the address, whatever its family: so does the kernel's trie.
static Bitmap cidr_row(const PlanRuleset& set, const IpAddress& address)
{
    const PlanCidr* longest = nullptr;
    for (const PlanCidr& row : set.cidrs)
        if (same_bits(row.cidr.address.bytes.data(), address.bytes.data(), row.cidr.prefix) &&
            (longest == nullptr || row.cidr.prefix > longest->cidr.prefix))
            longest = &row;
    return longest == nullptr ? Bitmap{} : longest->rules;
}

static Bitmap port_row(const PlanRuleset& set, uint8_t protocol, uint16_t port)
{
    const PlanPort* longest = nullptr;
    if (protocol != 6 && protocol != 17 && protocol != 132)
        return {};
    for (const PlanPort& row : set.ports) {
        const uint8_t a[] = {static_cast<uint8_t>(row.port >> 8), static_cast<uint8_t>(row.port)};
        const uint8_t b[] = {static_cast<uint8_t>(port >> 8), static_cast<uint8_t>(port)};
        if (row.protocol == protocol && same_bits(a, b, row.prefix) &&
            (longest == nullptr || row.prefix > longest->prefix))
            longest = &row;
    }
    return longest == nullptr ? Bitmap{} : longest->rules;
}

static const PlanService* find_service(const Plan& plan, const reference::Packet& packet)
{
    for (const PlanService& service : plan.services)
        if (service.address == packet.destination && service.port == packet.destination_port &&
            service.protocol == packet.protocol)
            return &service;
    return nullptr;
}

static Bitmap matching(const PlanRuleset& set, const reference::Packet& packet,
                       const IpAddress& peer, const PlanAddress* entry)
{
    const Bitmap cidr = cidr_row(set, peer);
    const Bitmap port = port_row(set, packet.protocol, packet.destination_port);
    const bool is_pod = entry != nullptr && entry->identity < PLAN_IDENTITY_SERVICE;
    const Bitmap row = is_pod ? peer_row(set.peers, entry->identity) : Bitmap{};
    Bitmap match{};
    for (size_t word = 0; word < match.size(); ++word)
        match[word] =
            (set.any_peer[word] | (is_pod ? set.any_pod[word] : 0) | row[word] | cidr[word]) &
            (set.any_port[word] | port[word]);
    return match;
}

// A way through a rule set, by bits.
struct Way {
    std::optional<uint32_t> decider;
    std::optional<uint32_t> watcher; // the first one met that only watches
};

static Way go(const PlanRuleset& set, const Bitmap& match, bool rehearsed)
{
    Way way;
    for (uint32_t bit = 0; bit < set.bits.size(); ++bit) {
        const bool watching = has_bit(set.watching, bit);
        if (!has_bit(match, bit) || (watching && !rehearsed))
            continue;
        if (watching && !way.watcher)
            way.watcher = bit;
        if (set.bits[bit].action != ACTION_PASS) {
            way.decider = bit;
            return way;
        }
        while (bit + 1 < set.bits.size() && set.bits[bit + 1].in_tier == set.bits[bit].in_tier)
            ++bit;
    }
    return way;
}

static std::string name_of(const Plan& plan, const PlanRuleset& set, std::optional<uint32_t> bit)
{
    if (!bit)
        return {};
    const PlanRule& rule = plan.rules.at(set.bits[*bit].rule);
    return rule_name(rule.kind, rule.dir, rule.policy_namespace, rule.policy, rule.index);
}

static Verdict ended(const Plan& plan, const PlanRuleset& set, std::optional<uint32_t> decider)
{
    if (!decider)
        return {};
    const PlanBit& bit = set.bits[*decider];
    if (plan.rules.at(bit.rule).kind == RULE_SELF)
        return {.allow = bit.action == ACTION_ALLOW, .why = REASON_SELF, .rule = {}};
    return {.allow = bit.action == ACTION_ALLOW,
            .why = bit.action == ACTION_ALLOW ? REASON_RULE : REASON_DENIED,
            .rule = name_of(plan, set, decider)};
}

// enforced, all: what matches, for those in force and for a rehearsal.
static Verdict decide(const Plan& plan, const PlanRuleset& set, const Bitmap& enforced,
                      const Bitmap& all)
{
    const Verdict verdict = ended(plan, set, go(set, enforced, false).decider);
    const Way way = go(set, all, true);
    const Verdict rehearsed = ended(plan, set, way.decider);
    if (!way.watcher || rehearsed.allow == verdict.allow)
        return verdict;
    return {.allow = verdict.allow,
            .why = rehearsed.why,
            .rule = name_of(plan, set, way.watcher),
            .turned = true,
            .enforced_rule = verdict.rule};
}

static Verdict by_ruleset(const Plan& plan, const PlanRuleset& set, const reference::Packet& packet)
{
    const bool ingress = packet.dir == DIRECTION_INGRESS;
    const IpAddress& peer = ingress ? packet.source : packet.destination;
    const auto entry = std::ranges::find(plan.addresses, peer, &PlanAddress::address);
    const PlanAddress* known = entry == plan.addresses.end() ? nullptr : &*entry;
    if (known != nullptr && known->identity == PLAN_IDENTITY_NODE && ingress)
        return {.allow = true, .why = REASON_NODE, .rule = {}};
    if (known != nullptr && known->identity == PLAN_IDENTITY_SERVICE && !ingress)
        if (const PlanService* service = find_service(plan, packet))
            return decide(plan, set, peer_row(set.peers, service->identity),
                          peer_row(set.rehearsed_services, service->identity));
    const Bitmap match = matching(set, packet, peer, known);
    return decide(plan, set, match, match);
}

static bool spoofed(const Plan& plan, const PlanEndpoint& endpoint, const IpAddress& source)
{
    const auto& own = endpoint.addresses;
    if (own.empty() || std::ranges::count(own, source) != 0)
        return false;
    return std::ranges::any_of(own, [&](const auto& a) { return a.is_v4() == source.is_v4(); }) ||
           std::ranges::count(plan.addresses, source, &PlanAddress::address) != 0;
}

Verdict of_plan(const Plan& plan, const reference::Packet& packet)
{
    const Verdict closed{.allow = false, .why = REASON_UNKNOWN_POD, .rule = {}};
    const auto endpoint = std::ranges::find(plan.endpoints, packet.ifindex, &PlanEndpoint::ifindex);
    if (endpoint == plan.endpoints.end())
        return closed;
    if (packet.dir == DIRECTION_EGRESS && spoofed(plan, *endpoint, packet.source))
        return {.allow = false, .why = REASON_SPOOFED, .rule = {}};
    const uint32_t set = endpoint->ruleset[packet.dir];
    if (set == PLAN_RULESET_CLOSED)
        return closed;
    if (set == PLAN_RULESET_NONE)
        return {};
    if (packet.source == packet.destination)
        return {.allow = true, .why = REASON_SELF, .rule = {}};
    return by_ruleset(plan, plan.rulesets.at(set), packet);
}

} // namespace property
