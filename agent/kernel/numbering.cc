// SPDX-License-Identifier: Apache-2.0
#include "kernel/numbering.h"

#include "kernel/encode.h"
#include "kernel/recovery.h"
#include "kernel/ruleset_rows.h"

#include <algorithm>
#include <cerrno>
#include <fmt/format.h>

namespace ebpfd {

namespace {

template <class K, class V> void sort_unique(Table<K, V>& table)
{
    std::ranges::stable_sort(table, ByBytes{}, [](const auto& row) { return row.first; });
    const auto [first, last] = std::ranges::unique(
        table, [](const auto& a, const auto& b) { return same_bytes(a.first, b.first); });
    table.erase(first, last);
}

bool other_pod(const endpoint_name& before, const PlanEndpoint& now)
{
    return before.pod[0] != '\0' &&
           (now.pod != before.pod || now.pod_namespace != before.pod_namespace);
}

class Numbering {
public:
    Numbering(const Plan& plan, const Applied& current)
        : plan_(plan), current_(current), recovery_(plan, current)
    {
        next_.free_rules = current.free_rules;
        next_.free_indexes = current.free_indexes;
        next_.next_ruleset = current.next_ruleset;
        next_.next_identity = current.next_identity;
    }
    Result<Applied> run();

private:
    void number_rules();
    uint32_t rule_number(const std::string& key, const rule_info& info);
    void number_identities();
    uint32_t identity_number(size_t planned);
    Result<void> number_rulesets();
    std::pair<uint32_t, std::shared_ptr<RulesetRows>> number_ruleset(const PlanRuleset& planned);
    void number_addresses();
    void number_endpoints();
    uint32_t identity(uint32_t planned) const;
    uint32_t ruleset_number(uint32_t planned) const;

    const Plan& plan_;
    const Applied& current_;
    Applied next_;
    Recovery recovery_;
    std::vector<uint32_t> rules_; // numbers, by the plan's index
    std::vector<uint32_t> rulesets_;
    std::vector<uint32_t> identities_;
};

uint32_t Numbering::rule_number(const std::string& key, const rule_info& info)
{
    if (const auto known = current_.rule_numbers.find(key); known != current_.rule_numbers.end())
        return known->second;
    if (const auto pinned = recovery_.rule(info))
        return *pinned;
    return next_.free_rules.take();
}

void Numbering::number_rules()
{
    for (const auto& rule : plan_.rules) {
        const rule_info info = encode_rule(rule);
        const auto [entry, fresh] = next_.rule_numbers.try_emplace(rule.key);
        if (fresh)
            entry->second = rule_number(rule.key, info);
        next_.rules.emplace(entry->second, info);
        rules_.push_back(entry->second);
    }
}

uint32_t Numbering::identity_number(size_t planned)
{
    const auto known = current_.identities.find(plan_.identities[planned].key);
    if (known != current_.identities.end())
        return known->second;
    if (const auto pinned = recovery_.identity(planned))
        return *pinned;
    return next_.next_identity++;
}

void Numbering::number_identities()
{
    for (size_t i = 0; i < plan_.identities.size(); ++i) {
        const auto [entry, fresh] = next_.identities.try_emplace(plan_.identities[i].key);
        if (fresh)
            entry->second = identity_number(i);
        identities_.push_back(entry->second);
    }
}

// The rows of a rule set under the number that they have or get.
std::pair<uint32_t, std::shared_ptr<RulesetRows>>
Numbering::number_ruleset(const PlanRuleset& planned)
{
    const NumberedRuleset numbered{planned, rules_, identities_};
    const auto known = current_.ruleset_numbers.find(planned.key);
    if (known != current_.ruleset_numbers.end())
        if (auto rows = extend_rows(current_.rulesets.at(known->second), numbered))
            return {known->second, std::move(rows)};
    auto rows = make_rows(numbered, next_.next_ruleset);
    if (const auto pinned = recovery_.ruleset(*rows))
        return {*pinned, current_.rulesets.at(*pinned)};
    return {next_.next_ruleset++, std::move(rows)};
}

Result<void> Numbering::number_rulesets()
{
    for (const auto& planned : plan_.rulesets) {
        if (planned.bits.size() > RULES_MAX)
            return fail(E2BIG, fmt::format("a rule set needs {} rules and can have {}",
                                           planned.bits.size(), RULES_MAX));
        const auto [entry, fresh] = next_.ruleset_numbers.try_emplace(planned.key);
        if (fresh) {
            auto [number, rows] = number_ruleset(planned);
            entry->second = number;
            next_.rulesets.emplace(number, std::move(rows));
        }
        rulesets_.push_back(entry->second);
    }
    return {};
}

uint32_t Numbering::identity(uint32_t planned) const
{
    if (planned == PLAN_IDENTITY_NODE)
        return IDENTITY_NODE;
    return planned == PLAN_IDENTITY_SERVICE ? uint32_t{IDENTITY_SERVICE} : identities_[planned];
}

uint32_t Numbering::ruleset_number(uint32_t planned) const
{
    if (planned == PLAN_RULESET_NONE)
        return RULESET_NONE;
    return planned == PLAN_RULESET_CLOSED ? uint32_t{RULESET_CLOSED} : rulesets_[planned];
}

void Numbering::number_addresses()
{
    for (const auto& planned : plan_.addresses)
        next_.addresses.emplace_back(encode_address(planned.address), identity(planned.identity));
    for (const auto& planned : plan_.services)
        next_.services.emplace_back(encode_service(planned), identity(planned.identity));
    sort_unique(next_.addresses);
    sort_unique(next_.services);
}

void Numbering::number_endpoints()
{
    for (const auto& planned : plan_.endpoints) {
        EndpointRow row;
        const auto known = current_.endpoints.find(planned.ifindex);
        const bool same =
            known != current_.endpoints.end() && !other_pod(known->second.name, planned);
        row.index = same ? known->second.index : next_.free_indexes.take();
        row.attached = same && known->second.attached;
        row.name = encode_name(planned, row.index);
        for (size_t i = 0; i < row.rulesets.size(); ++i)
            row.rulesets[i] = ruleset_number(planned.ruleset[i]);
        next_.endpoints.emplace(planned.ifindex, row);
    }
}

Result<Applied> Numbering::run()
{
    number_rules();
    number_identities();
    if (auto done = number_rulesets(); !done)
        return std::unexpected(done.error());
    number_addresses();
    number_endpoints();
    return std::move(next_);
}

} // namespace

Applied with_closed(const Applied& current, const std::vector<PlanEndpoint>& newcomers)
{
    Applied next = current;
    for (const auto& planned : newcomers) {
        const auto known = next.endpoints.find(planned.ifindex);
        if (known != next.endpoints.end() && !other_pod(known->second.name, planned))
            continue;
        EndpointRow row;
        row.index = next.free_indexes.take();
        row.name = encode_name(planned, row.index);
        row.rulesets = {RULESET_CLOSED, RULESET_CLOSED};
        next.endpoints.insert_or_assign(planned.ifindex, row);
    }
    return next;
}

Result<Applied> number_plan(const Plan& plan, const Applied& current)
{
    return Numbering(plan, current).run();
}

} // namespace ebpfd
