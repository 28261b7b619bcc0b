// SPDX-License-Identifier: Apache-2.0
#include "kernel/recovery.h"

#include "kernel/encode.h"

#include <algorithm>
#include <fmt/format.h>

namespace ebpfd {

namespace {

constexpr uint32_t AMBIGUOUS = UINT32_MAX;

// What names a rule in the maps themselves.
std::string rule_content(const rule_info& info)
{
    return fmt::format("{}/{}/{}/{}/{}/{}/{}", info.kind, info.direction, info.action, info.dry_run,
                       info.index, info.policy_namespace, info.policy);
}

template <class T> std::string bytes_of(const T& value)
{
    return {reinterpret_cast<const char*>(&value), sizeof(value)};
}

// Appends the rows in an order of their own, without the number of their rule set.
template <class K> void append_rows(const Rows<K, bitmap>& rows, std::string& content)
{
    std::vector<std::string> lines;
    for (size_t i = 0; i < rows.values.size(); ++i) {
        K key = rows.keys[i];
        key.ruleset = 0;
        lines.push_back(bytes_of(key) + bytes_of(rows.values[i]));
    }
    std::ranges::sort(lines);
    content += fmt::format("/{}/", lines.size());
    for (const auto& line : lines)
        content += line;
}

std::string ruleset_content(const RulesetRows& rows)
{
    std::string content = rows.header;
    append_rows(rows.cidrs, content);
    append_rows(rows.ports, content);
    for (const auto& [identity, rules] : rows.peers)
        content += bytes_of(identity) + bytes_of(*rules);
    return content;
}

template <class T>
std::optional<T> take(std::unordered_map<std::string, T>& known, const std::string& content)
{
    const auto found = known.extract(content);
    return found ? std::optional(found.mapped()) : std::nullopt;
}

// Notes that the identity was seen under this number.
template <class K>
void note(std::vector<uint32_t>& numbers, uint32_t planned, const Table<K, uint32_t>& table,
          const K& key)
{
    if (planned >= numbers.size())
        return;
    const uint32_t* number = find_row(table, key);
    const uint32_t seen = number && *number >= IDENTITY_FIRST ? *number : AMBIGUOUS;
    numbers[planned] = numbers[planned] == 0 || numbers[planned] == seen ? seen : AMBIGUOUS;
}

} // namespace

Recovery::Recovery(const Plan& plan, const Applied& current)
{
    for (const auto& [part, number, info] : current.rules.entries)
        if (part == nullptr && number != 0)
            rules_.emplace(rule_content(*info), number);
    for (const auto& entry : current.rulesets.entries)
        if (entry.part == nullptr && entry.number != 0)
            rulesets_.emplace(ruleset_content(*entry.row), entry);
    if (current.identities.entries.empty())
        recover_identities(plan, current);
}

void Recovery::recover_identities(const Plan& plan, const Applied& current)
{
    identities_.resize(plan.identities.size());
    for (const auto& planned : plan.addresses)
        note(identities_, planned.identity, *current.addresses.rows,
             encode_address(planned.address));
    for (const auto& planned : plan.services)
        note(identities_, planned.identity, *current.services.rows, encode_service(planned));
    std::unordered_map<uint32_t, size_t> owners;
    for (const uint32_t number : identities_)
        ++owners[number];
    for (uint32_t& number : identities_)
        if (number != 0 && owners[number] > 1)
            number = AMBIGUOUS;
}

std::optional<uint32_t> Recovery::rule(const rule_info& info)
{
    return rules_.empty() ? std::nullopt : take(rules_, rule_content(info));
}

std::optional<uint32_t> Recovery::identity(size_t planned) const
{
    if (planned >= identities_.size() || identities_[planned] == 0 ||
        identities_[planned] == AMBIGUOUS)
        return std::nullopt;
    return identities_[planned];
}

std::optional<Recovery::RulesetEntry> Recovery::ruleset(const RulesetRows& rows)
{
    return rulesets_.empty() ? std::nullopt : take(rulesets_, ruleset_content(rows));
}

} // namespace ebpfd
