// SPDX-License-Identifier: Apache-2.0
#include "kernel/numbering.h"

#include "kernel/encode.h"
#include "kernel/ruleset_rows.h"

#include <algorithm>
#include <cerrno>
#include <fmt/format.h>
#include <string_view>

namespace ebpfd {

namespace {

// What names a rule in the maps themselves: where its key is not known, after a restart.
std::string pinned_key(const rule_info& info)
{
    return fmt::format("{}/{}/{}/{}/{}/{}", info.kind, info.direction, info.action, info.index,
                       info.policy_namespace, info.policy);
}

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
    Numbering(const Plan& plan, const Applied& current) : plan_(plan), current_(current)
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
    Result<void> number_rulesets();
    void number_addresses();
    void number_endpoints();
    uint32_t identity(uint32_t planned) const;
    uint32_t ruleset_number(uint32_t planned) const;

    const Plan& plan_;
    const Applied& current_;
    Applied next_;
    std::unordered_map<std::string, uint32_t> recovered_; // rules known by their rows alone
    std::vector<uint32_t> rules_;                         // numbers, by the plan's index
    std::vector<uint32_t> rulesets_;
    std::vector<uint32_t> identities_;
};

uint32_t Numbering::rule_number(const std::string& key, const rule_info& info)
{
    if (const auto known = current_.rule_numbers.find(key); known != current_.rule_numbers.end())
        return known->second;
    if (const auto pinned = recovered_.extract(pinned_key(info)))
        return pinned.mapped();
    return next_.free_rules.take();
}

void Numbering::number_rules()
{
    if (current_.rule_numbers.empty())
        for (const auto& [number, info] : current_.rules)
            recovered_.emplace(pinned_key(info), number);
    for (const auto& rule : plan_.rules) {
        const rule_info info = encode_rule(rule);
        const auto [entry, fresh] = next_.rule_numbers.try_emplace(rule.key);
        if (fresh)
            entry->second = rule_number(rule.key, info);
        next_.rules.emplace(entry->second, info);
        rules_.push_back(entry->second);
    }
}

void Numbering::number_identities()
{
    for (const auto& planned : plan_.identities) {
        const auto [entry, fresh] = next_.identities.try_emplace(planned.key);
        if (fresh) {
            const auto known = current_.identities.find(planned.key);
            entry->second =
                known != current_.identities.end() ? known->second : next_.next_identity++;
        }
        identities_.push_back(entry->second);
    }
}

Result<void> Numbering::number_rulesets()
{
    for (const auto& planned : plan_.rulesets) {
        if (planned.bits.size() > RULES_MAX)
            return fail(E2BIG, fmt::format("a rule set needs {} rules and can have {}",
                                           planned.bits.size(), RULES_MAX));
        const auto [entry, fresh] = next_.ruleset_numbers.try_emplace(planned.key);
        if (fresh) {
            const NumberedRuleset numbered{planned, rules_, identities_};
            const auto known = current_.ruleset_numbers.find(planned.key);
            std::shared_ptr<RulesetRows> rows;
            if (known != current_.ruleset_numbers.end())
                rows = extend_rows(current_.rulesets.at(known->second), numbered);
            entry->second = rows ? known->second : next_.next_ruleset++;
            if (!rows)
                rows = make_rows(numbered, entry->second);
            next_.rulesets.emplace(entry->second, std::move(rows));
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

Result<Applied> number_plan(const Plan& plan, const Applied& current)
{
    return Numbering(plan, current).run();
}

} // namespace ebpfd
