// SPDX-License-Identifier: Apache-2.0
#include "property/plan_form.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>
#include <tuple>

using namespace ebpfd;

namespace property {

using Complaints = std::vector<std::string>;

template <class Range, class Key>
static void expect_unique(Complaints& complaints, const char* what, const Range& range, Key key)
{
    std::set<std::decay_t<std::invoke_result_t<Key, decltype(*range.begin())>>> seen;
    for (const auto& each : range)
        if (!seen.insert(std::invoke(key, each)).second)
            complaints.push_back(fmt::format("{} stands twice", what));
}

// Without the places that are empty.
template <class T> static std::vector<T> parts_of(const PartList<T>& list)
{
    std::vector<T> parts;
    for (size_t place = 0; place < list.size(); ++place)
        if (list.part(place))
            parts.push_back(list[place]);
    return parts;
}

static void expect_index(Complaints& complaints, const char* what, uint32_t index, size_t size)
{
    if (index >= size)
        complaints.push_back(fmt::format("{}: index {} of {}", what, index, size));
}

static void expect_bits(Complaints& complaints, const char* what, const Bitmap& rules, size_t count)
{
    for (uint32_t bit = 0; bit < RULES_MAX; ++bit)
        if (has_bit(rules, bit) && bit >= count)
            complaints.push_back(fmt::format("{}: bit {} of {} rules", what, bit, count));
}

static bool canonical(const Cidr& cidr)
{
    for (unsigned bit = cidr.prefix; bit < 128; ++bit)
        if ((cidr.address.bytes[bit / 8] >> (7 - bit % 8)) & 1)
            return false;
    return true;
}

static void check_rows(Complaints& complaints, const Plan& plan, const PlanRuleset& set)
{
    const size_t count = set.bits.size();
    for (const Bitmap* rules : {&set.any_peer, &set.any_pod, &set.any_port, &set.watching})
        expect_bits(complaints, "any", *rules, count);
    for (const auto* rows : {&set.peers, &set.rehearsed_services})
        for (const PlanPeer& row : *rows) {
            expect_bits(complaints, "peer", row.rules, count);
            expect_index(complaints, "peer identity", row.identity, plan.identities.size());
            if (row.identity < plan.identities.size() && !plan.identities.part(row.identity))
                complaints.push_back("peer row of an identity that is not there");
            if (row.rules == Bitmap{})
                complaints.push_back("peer row without rules");
        }
    if (set.watching == Bitmap{} && !set.rehearsed_services.empty())
        complaints.push_back("a rehearsal without rules for it");
    for (const PlanCidr& row : set.cidrs) {
        expect_bits(complaints, "cidr", row.rules, count);
        if (!canonical(row.cidr))
            complaints.push_back("block with bits behind its prefix");
    }
    for (const PlanPort& row : set.ports) {
        expect_bits(complaints, "port", row.rules, count);
        if (row.prefix > 16 || (row.port & ((1U << (16 - row.prefix)) - 1)) != 0)
            complaints.push_back("port with bits behind its prefix");
    }
}

static void check_ruleset(Complaints& complaints, const Plan& plan, const PlanRuleset& set)
{
    if (set.bits.size() > RULES_MAX)
        complaints.push_back("too many rules");
    for (const PlanBit& bit : set.bits)
        if (bit.rule >= plan.rules.size() || !plan.rules.part(bit.rule))
            complaints.push_back(fmt::format("rule {} is not there", bit.rule));
    check_rows(complaints, plan, set);
    expect_unique(complaints, "peer", set.peers, &PlanPeer::identity);
    expect_unique(complaints, "cidr", set.cidrs, &PlanCidr::cidr);
    expect_unique(complaints, "port", set.ports, [](const PlanPort& row) {
        return std::tuple(row.protocol, row.port, row.prefix);
    });
    if (!std::ranges::is_sorted(set.bits, {}, &PlanBit::in_tier))
        complaints.push_back("tiers out of order");
    for (int tier = 0; tier < TIER_COUNT; ++tier)
        if (set.tier_end[static_cast<size_t>(tier)] !=
            std::ranges::count_if(set.bits, [&](const PlanBit& b) { return b.in_tier <= tier; }))
            complaints.push_back(fmt::format("tier {} ends elsewhere", tier));
}

std::vector<std::string> malformations(const Plan& plan)
{
    Complaints complaints;
    expect_unique(complaints, "rule key", parts_of(plan.rules), &PlanRule::key);
    expect_unique(complaints, "rule set key", parts_of(plan.rulesets), &PlanRuleset::key);
    expect_unique(complaints, "identity key", parts_of(plan.identities), &PlanIdentity::key);
    expect_unique(complaints, "address", plan.addresses, &PlanAddress::address);
    expect_unique(complaints, "endpoint", plan.endpoints, &PlanEndpoint::ifindex);
    expect_unique(complaints, "service", plan.services, [](const PlanService& service) {
        return std::tuple(service.address, service.port, service.protocol);
    });
    for (const PlanAddress& address : plan.addresses)
        if (address.identity < PLAN_IDENTITY_SERVICE)
            expect_index(complaints, "address", address.identity, plan.identities.size());
    for (const PlanService& service : plan.services)
        expect_index(complaints, "service", service.identity, plan.identities.size());
    for (const PlanEndpoint& endpoint : plan.endpoints)
        for (const uint32_t set : endpoint.ruleset)
            if (set < PLAN_RULESET_CLOSED)
                expect_index(complaints, "endpoint", set, plan.rulesets.size());
    for (const PlanRuleset& set : plan.rulesets)
        check_ruleset(complaints, plan, set);
    return complaints;
}

} // namespace property
