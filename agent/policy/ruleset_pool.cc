// SPDX-License-Identifier: Apache-2.0
#include "policy/ruleset_pool.h"

#include "policy/ruleset_builder.h"

#include <algorithm>

namespace ebpfd {

namespace {

constexpr size_t NAMED_POLICIES = 8; // in a message

// The first few, and how many more there are.
std::string policies_of(const Subject& subject, direction dir)
{
    std::vector<std::string> keys;
    for (const ClusterPolicy* policy : subject.cluster_policies[dir])
        keys.push_back(policy->key());
    for (const NetworkPolicy* policy : subject.policies[dir])
        keys.push_back(policy->key());
    std::string text;
    for (size_t i = 0; i < std::min(keys.size(), NAMED_POLICIES); ++i)
        text += (i == 0 ? "" : ", ") + keys[i];
    if (keys.size() > NAMED_POLICIES)
        text += " and " + std::to_string(keys.size() - NAMED_POLICIES) + " more";
    return text;
}

Result<void> check_room(const Subject& subject, direction dir, size_t needed)
{
    if (needed <= RULES_MAX)
        return {};
    return fail(0, "pod " + subject.local->pod->key() + " needs " + std::to_string(needed) +
                       (dir == DIRECTION_INGRESS ? " ingress" : " egress") +
                       " rules, a rule set holds " + std::to_string(RULES_MAX) +
                       "; policies that select it: " + policies_of(subject, dir));
}

std::vector<IpAddress> owned_addresses(const Pod& pod, const Identities& identities)
{
    std::vector<IpAddress> result;
    for (const IpAddress& address : pod.addresses) {
        const Pod* owner = identities.owner(address);
        if (owner != nullptr && owner->key() == pod.key())
            result.push_back(address);
    }
    std::ranges::sort(result);
    const auto rest = std::ranges::unique(result);
    result.erase(rest.begin(), rest.end());
    return result;
}

// Of a row with what a service meets: its last rule decides.
bool denies(const PlanRuleset& ruleset, const PlanPeer& row)
{
    for (uint32_t bit = static_cast<uint32_t>(ruleset.bits.size()); bit-- > 0;) {
        if (has_bit(row.rules, bit))
            return ruleset.bits[bit].action == ACTION_DENY;
    }
    return false;
}

bool denies_any(const PlanRuleset& ruleset, const std::vector<PlanPeer>& rows,
                const std::set<uint32_t>& services)
{
    return std::ranges::any_of(rows, [&](const PlanPeer& row) {
        return services.contains(row.identity) && denies(ruleset, row);
    });
}

void allow_by_first(const PlanRuleset& ruleset, std::vector<PlanPeer>& rows,
                    const std::set<uint32_t>& services)
{
    for (PlanPeer& row : rows) {
        if (!services.contains(row.identity) || !denies(ruleset, row))
            continue;
        row.rules = {};
        set_bit(row.rules, 0);
    }
}

} // namespace

RulesetPool::RulesetPool(const World& world, RuleBits& bits, const Identities& identities,
                         const std::vector<ServicePoint>& services)
    : world_(world), bits_(bits), identities_(identities), services_(services)
{
    for (uint32_t number = 0; number < services.size(); ++number) {
        for (const Destination& backend : services[number].backends)
            services_of_[backend.address].push_back(number);
    }
}

Result<uint32_t> RulesetPool::find(const Subject& subject, direction dir)
{
    if (subject.policies[dir].empty() && subject.cluster_policies[dir].empty())
        return PLAN_RULESET_NONE;
    auto number = base(subject, dir);
    if (number && dir == DIRECTION_EGRESS)
        number = with_self(subject, *number);
    if (!number)
        return number;
    return publish(*number);
}

std::vector<PlanRuleset> RulesetPool::take()
{
    std::vector<PlanRuleset> result;
    for (const uint32_t number : order_)
        result.push_back(std::move(rulesets_[number]));
    return result;
}

void RulesetPool::append(const Subject& subject, RuleSource source, size_t rules,
                         std::vector<const RuleBit*>& bits)
{
    for (source.index = 0; source.index < rules; ++source.index) {
        const auto some = source.dir == DIRECTION_INGRESS
                              ? bits_.ingress(source, subject.local->pod->ports)
                              : bits_.egress(source);
        bits.insert(bits.end(), some.begin(), some.end());
    }
}

void RulesetPool::append_tier(const Subject& subject, direction dir, tier in_tier,
                              std::vector<const RuleBit*>& bits)
{
    for (const ClusterPolicy* policy : subject.cluster_policies[dir])
        if (policy->in_tier == in_tier)
            append(subject, {.cluster = policy, .dir = dir}, policy->rules(dir).size(), bits);
}

std::vector<const RuleBit*> RulesetPool::collect(const Subject& subject, direction dir)
{
    std::vector<const RuleBit*> result;
    append_tier(subject, dir, TIER_ADMIN, result);
    for (const NetworkPolicy* policy : subject.policies[dir]) {
        const auto& rules = dir == DIRECTION_INGRESS ? *policy->ingress : *policy->egress;
        append(subject, {.policy = policy, .dir = dir}, rules.size(), result);
    }
    if (!subject.policies[dir].empty())
        result.push_back(bits_.isolation(isolating(world_, subject.policies[dir]), dir));
    append_tier(subject, dir, TIER_BASELINE, result);
    return result;
}

Result<PlanRuleset> RulesetPool::build(const Subject& subject, direction dir)
{
    const auto bits = collect(subject, dir);
    if (auto room = check_room(subject, dir, bits.size()); !room)
        return std::unexpected(std::move(room.error()));
    PlanRuleset ruleset = build_ruleset(bits);
    if (dir == DIRECTION_EGRESS)
        add_service_rows(ruleset);
    return ruleset;
}

Result<uint32_t> RulesetPool::base(const Subject& subject, direction dir)
{
    Recipe recipe{dir, subject.policies[dir], subject.cluster_policies[dir], {}};
    if (dir == DIRECTION_INGRESS) {
        std::get<3>(recipe) = subject.local->pod->ports;
        std::ranges::sort(std::get<3>(recipe));
    }
    const auto known = recipes_.find(recipe);
    if (known != recipes_.end())
        return known->second;
    auto ruleset = build(subject, dir);
    if (!ruleset)
        return std::unexpected(std::move(ruleset.error()));
    const uint32_t number = keep(std::move(*ruleset));
    recipes_.emplace(std::move(recipe), number);
    return number;
}

// Only a pod that policy keeps from a service that leads back to it has a rule set of its own.
Result<uint32_t> RulesetPool::with_self(const Subject& subject, uint32_t base_number)
{
    const PlanRuleset& base = rulesets_[base_number];
    const auto own = owned_addresses(*subject.local->pod, identities_);
    const auto leading_back = loops(own);
    if (!denies_any(base, base.peers, leading_back) &&
        !denies_any(base, base.rehearsed_services, leading_back))
        return base_number;
    if (auto room = check_room(subject, DIRECTION_EGRESS, base.bits.size() + 1); !room)
        return std::unexpected(std::move(room.error()));
    PlanRuleset ruleset = with_first_rule(base, bits_.self_rule(), own);
    allow_by_first(ruleset, ruleset.peers, leading_back);
    allow_by_first(ruleset, ruleset.rehearsed_services, leading_back);
    return keep(std::move(ruleset));
}

void RulesetPool::add_service_rows(PlanRuleset& ruleset) const
{
    const auto rows = service_rows(ruleset, false);
    if (ruleset.watching != Bitmap{})
        ruleset.rehearsed_services = service_rows(ruleset, true);
    ruleset.peers.insert(ruleset.peers.end(), rows.begin(), rows.end());
}

std::vector<PlanPeer> RulesetPool::service_rows(const PlanRuleset& ruleset, bool rehearsed) const
{
    const auto first = static_cast<uint32_t>(identities_.all().size());
    std::vector<PlanPeer> rows;
    const Judge judge(ruleset);
    for (uint32_t number = 0; number < services_.size(); ++number) {
        const Bitmap row = service_row(judge, ruleset, services_[number], rehearsed);
        if (row != Bitmap{})
            rows.push_back({first + number, row});
    }
    return rows;
}

// The identities of services with one of these addresses behind them.
std::set<uint32_t> RulesetPool::loops(const std::vector<IpAddress>& own) const
{
    const auto first = static_cast<uint32_t>(identities_.all().size());
    std::set<uint32_t> result;
    for (const IpAddress& address : own) {
        const auto services = services_of_.find(address);
        if (services == services_of_.end())
            continue;
        for (const uint32_t number : services->second)
            result.insert(first + number);
    }
    return result;
}

uint32_t RulesetPool::keep(PlanRuleset ruleset)
{
    const auto next = static_cast<uint32_t>(rulesets_.size());
    const auto [known, fresh] = numbers_.try_emplace(ruleset.key, next);
    if (fresh)
        rulesets_.push_back(std::move(ruleset));
    return known->second;
}

uint32_t RulesetPool::publish(uint32_t number)
{
    const auto next = static_cast<uint32_t>(order_.size());
    const auto [known, fresh] = published_.try_emplace(number, next);
    if (fresh)
        order_.push_back(number);
    return known->second;
}

} // namespace ebpfd
