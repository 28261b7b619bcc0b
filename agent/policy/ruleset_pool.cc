// SPDX-License-Identifier: Apache-2.0
#include "policy/ruleset_pool.h"

#include "policy/named_ports.h"
#include "policy/ruleset_builder.h"

#include <algorithm>
#include <functional>

namespace ebpfd {

namespace {

constexpr size_t NAMED_POLICIES = 8; // in a message

// The first few, and how many more there are.
std::string policies_of(const Subject& subject, direction dir)
{
    std::vector<std::string> keys;
    for (const ClusterPolicyPointer& policy : subject.cluster_policies[dir])
        keys.push_back(policy->key());
    for (const NetworkPolicyPointer& policy : subject.policies[dir])
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

// Whether identities have the same rules in both, which have the same key.
bool same_rows(const PlanRuleset& one, const PlanRuleset& other)
{
    const auto same = [](const PlanPeer& left, const PlanPeer& right) {
        return left.identity == right.identity && left.rules == right.rules;
    };
    return std::ranges::equal(one.peers, other.peers, same) &&
           std::ranges::equal(one.rehearsed_services, other.rehearsed_services, same);
}

} // namespace

RulesetPool::RulesetPool(const World& world, RuleBits& bits, const Identities& identities,
                         const std::vector<ServicePoint>& services)
    : world_(world), bits_(bits), identities_(identities), services_(services)
{
    index_services();
}

void RulesetPool::index_services()
{
    services_of_.clear();
    for (const ServicePoint& service : services_)
        for (const Destination& backend : service.backends)
            services_of_[backend.address].push_back(service.identity);
}

Result<std::shared_ptr<const Ruleset>> RulesetPool::find(const Subject& subject, direction dir)
{
    if (subject.policies[dir].empty() && subject.cluster_policies[dir].empty())
        return nullptr;
    auto ruleset = base(subject, dir);
    if (ruleset && dir == DIRECTION_EGRESS)
        ruleset = with_self(subject, *ruleset);
    if (!ruleset)
        return std::unexpected(std::move(ruleset.error()));
    return *ruleset;
}

void RulesetPool::append(const Subject& subject, RuleSource source, size_t count, Rules& rules)
{
    for (source.index = 0; source.index < count; ++source.index) {
        const bool egress = source.dir == DIRECTION_EGRESS;
        rules.resolve = rules.resolve || (egress && has_named_port(source.rule().ports));
        const auto some =
            egress ? bits_.egress(source) : bits_.ingress(source, subject.local->pod->ports);
        rules.bits.insert(rules.bits.end(), some.begin(), some.end());
    }
}

void RulesetPool::append_tier(const Subject& subject, direction dir, tier in_tier, Rules& rules)
{
    for (const ClusterPolicyPointer& policy : subject.cluster_policies[dir])
        if (policy->in_tier == in_tier)
            append(subject, {.cluster = policy, .dir = dir}, policy->rules(dir).size(), rules);
}

RulesetPool::Rules RulesetPool::collect(const Subject& subject, direction dir)
{
    Rules result;
    append_tier(subject, dir, TIER_ADMIN, result);
    for (const NetworkPolicyPointer& policy : subject.policies[dir]) {
        const auto& rules = dir == DIRECTION_INGRESS ? *policy->ingress : *policy->egress;
        append(subject, {.policy = policy, .dir = dir}, rules.size(), result);
    }
    if (!subject.policies[dir].empty())
        result.bits.push_back(bits_.isolation(isolating(world_, subject.policies[dir]), dir));
    append_tier(subject, dir, TIER_BASELINE, result);
    return result;
}

Result<PlanRuleset> RulesetPool::build(const Subject& subject, direction dir)
{
    auto ruleset = make(subject, dir);
    return ruleset ? *ruleset->planned : Result<PlanRuleset>(std::unexpected(ruleset.error()));
}

Result<Ruleset> RulesetPool::make(const Subject& subject, direction dir)
{
    auto [bits, resolves] = collect(subject, dir);
    if (auto room = check_room(subject, dir, bits.size()); !room)
        return std::unexpected(std::move(room.error()));
    auto planned = std::make_shared<PlanRuleset>(build_ruleset(bits));
    if (dir == DIRECTION_EGRESS)
        add_service_rows(*planned);
    return Ruleset{.planned = std::move(planned),
                   .dir = dir,
                   .resolves = resolves,
                   .bits = std::move(bits),
                   .self = nullptr,
                   .base = nullptr};
}

Result<RulesetPool::RulesetPointer> RulesetPool::base(const Subject& subject, direction dir)
{
    Recipe recipe{dir, subject.policies[dir], subject.cluster_policies[dir], {}};
    if (dir == DIRECTION_INGRESS) {
        std::get<3>(recipe) = subject.local->pod->ports;
        std::ranges::sort(std::get<3>(recipe));
    }
    if (const auto known = recipes_.find(recipe); known != recipes_.end())
        if (auto ruleset = known->second.lock())
            return ruleset;
    auto ruleset = make(subject, dir);
    if (!ruleset)
        return std::unexpected(std::move(ruleset.error()));
    auto kept = keep(std::move(*ruleset));
    forget_others(recipe, kept);
    recipes_.insert_or_assign(std::move(recipe), kept);
    return kept;
}

// A rule set whose policies are written anew to the same effect is no longer that of the old ones.
void RulesetPool::forget_others(const Recipe& recipe, const RulesetPointer& ruleset)
{
    if (ruleset.use_count() == 1) // a new one
        return;
    std::erase_if(recipes_, [&](const auto& entry) {
        return entry.second.lock() == ruleset && (std::get<1>(entry.first) != std::get<1>(recipe) ||
                                                  std::get<2>(entry.first) != std::get<2>(recipe));
    });
}

// Only a pod that policy keeps from a service that leads back to it has a rule set of its own.
Result<RulesetPool::RulesetPointer> RulesetPool::with_self(const Subject& subject,
                                                           RulesetPointer base)
{
    const auto own = owned_addresses(*subject.local->pod, identities_);
    const auto leading_back = loops(own);
    if (!denies_any(*base->planned, base->planned->peers, leading_back) &&
        !denies_any(*base->planned, base->planned->rehearsed_services, leading_back))
        return base;
    if (auto room = check_room(subject, DIRECTION_EGRESS, base->bits.size() + 1); !room)
        return std::unexpected(std::move(room.error()));
    auto self = bits_.self_rule();
    auto planned = std::make_shared<PlanRuleset>(with_first_rule(*base->planned, *self, own));
    allow_by_first(*planned, planned->peers, leading_back);
    allow_by_first(*planned, planned->rehearsed_services, leading_back);
    Ruleset ruleset = *base;
    ruleset.planned = std::move(planned);
    ruleset.self = std::move(self);
    ruleset.base = std::move(base);
    return keep(std::move(ruleset));
}

void RulesetPool::add_service_rows(PlanRuleset& ruleset) const
{
    const auto rows = service_rows(ruleset, false);
    if (ruleset.watching != Bitmap{})
        ruleset.rehearsed_services = service_rows(ruleset, true);
    ruleset.peers.insert(ruleset.peers.end(), rows.begin(), rows.end());
    std::ranges::sort(ruleset.peers, {}, &PlanPeer::identity);
}

std::vector<PlanPeer> RulesetPool::service_rows(const PlanRuleset& ruleset, bool rehearsed) const
{
    std::vector<PlanPeer> rows;
    const Judge judge(ruleset);
    for (const ServicePoint& service : services_) {
        const Bitmap row = service_row(judge, ruleset, service, rehearsed);
        if (row != Bitmap{})
            rows.push_back({service.identity, row});
    }
    std::ranges::sort(rows, {}, &PlanPeer::identity);
    return rows;
}

// The identities of services with one of these addresses behind them.
std::set<uint32_t> RulesetPool::loops(const std::vector<IpAddress>& own) const
{
    std::set<uint32_t> result;
    for (const IpAddress& address : own) {
        const auto services = services_of_.find(address);
        if (services != services_of_.end())
            result.insert(services->second.begin(), services->second.end());
    }
    return result;
}

// Of equal keys there is one rule set: as it is now, should it have been another.
RulesetPool::RulesetPointer RulesetPool::keep(Ruleset ruleset)
{
    const size_t hash = std::hash<std::string>{}(ruleset.planned->key);
    const auto [begin, end] = by_key_.equal_range(hash);
    for (auto one = begin; one != end; ++one) {
        const auto known = one->second.lock();
        if (known == nullptr || known->planned->key != ruleset.planned->key)
            continue;
        ruleset.place = known->place;
        // A name that resolves to nothing by now is not in the key.
        ruleset.resolves = ruleset.resolves || known->resolves;
        if (same_rows(*known->planned, *ruleset.planned))
            ruleset.planned = known->planned;
        *known = std::move(ruleset);
        return known;
    }
    ruleset.place = take_place();
    auto fresh = std::make_shared<Ruleset>(std::move(ruleset));
    places_[fresh->place] = fresh;
    by_key_.emplace(hash, fresh);
    return fresh;
}

uint32_t RulesetPool::take_place()
{
    const auto free = std::ranges::find_if(
        places_, [](const std::weak_ptr<Ruleset>& place) { return place.expired(); });
    const auto place = static_cast<uint32_t>(free - places_.begin());
    if (place == places_.size())
        places_.emplace_back();
    return place;
}

void RulesetPool::follow(const IdentityChanges& identities, const ServiceChanges& services)
{
    if (!services.none())
        index_services();
    // All of them are in use: none has gone since the last sweep().
    if (!identities.none())
        std::erase_if(recipes_, [](const auto& entry) { return entry.second.lock()->resolves; });
    for (const auto& [recipe, known] : recipes_) {
        const auto ruleset = known.lock();
        if (identities.has_identities())
            follow(identities, *ruleset);
        if (!services.none() && ruleset->dir == DIRECTION_EGRESS)
            follow(services, *ruleset);
    }
}

void RulesetPool::follow(const IdentityChanges& changes, Ruleset& ruleset) const
{
    std::map<uint32_t, Bitmap> rows;
    for (const uint32_t identity : changes.gone)
        rows[identity] = {};
    for (const uint32_t identity : changes.fresh)
        rows[identity] = peer_row(ruleset.bits, identity);
    auto peers = exchange_rows(ruleset.planned->peers, rows);
    if (!peers)
        return;
    auto planned = std::make_shared<PlanRuleset>(*ruleset.planned);
    planned->peers = std::move(*peers);
    ruleset.planned = std::move(planned);
}

void RulesetPool::follow(const ServiceChanges& changes, Ruleset& ruleset) const
{
    const PlanRuleset& before = *ruleset.planned;
    auto peers = exchange_rows(before.peers, changed_services(changes, before, false));
    std::optional<std::vector<PlanPeer>> rehearsed;
    if (before.watching != Bitmap{})
        rehearsed =
            exchange_rows(before.rehearsed_services, changed_services(changes, before, true));
    if (!peers && !rehearsed)
        return;
    auto planned = std::make_shared<PlanRuleset>(before);
    if (peers)
        planned->peers = std::move(*peers);
    if (rehearsed)
        planned->rehearsed_services = std::move(*rehearsed);
    ruleset.planned = std::move(planned);
}

std::map<uint32_t, Bitmap> RulesetPool::changed_services(const ServiceChanges& changes,
                                                         const PlanRuleset& ruleset,
                                                         bool rehearsed) const
{
    std::map<uint32_t, Bitmap> rows;
    for (const uint32_t identity : changes.gone)
        rows[identity] = {};
    const std::set<uint32_t> fresh(changes.fresh.begin(), changes.fresh.end());
    const Judge judge(ruleset);
    for (const ServicePoint& service : services_)
        if (fresh.contains(service.identity))
            rows[service.identity] = service_row(judge, ruleset, service, rehearsed);
    return rows;
}

void RulesetPool::sweep()
{
    std::erase_if(recipes_, [](const auto& entry) { return entry.second.expired(); });
    std::erase_if(by_key_, [](const auto& entry) { return entry.second.expired(); });
}

} // namespace ebpfd
