// SPDX-License-Identifier: Apache-2.0
#include "kernel/numbering.h"

#include "kernel/encode.h"
#include "kernel/recovery.h"
#include "kernel/ruleset_rows.h"

#include <algorithm>
#include <cerrno>
#include <fmt/format.h>
#include <string_view>
#include <unordered_map>

namespace ebpfd {

namespace {

template <class K> Table<K, uint32_t> sorted_unique(Table<K, uint32_t> table)
{
    const auto key = [](const auto& row) { return row.first; };
    if (!std::ranges::is_sorted(table, ByBytes{}, key))
        std::ranges::stable_sort(table, ByBytes{}, key);
    const auto [first, last] = std::ranges::unique(
        table, [](const auto& a, const auto& b) { return same_bytes(a.first, b.first); });
    table.erase(first, last);
    return table;
}

bool is_same_endpoint(const EndpointRow& before, const PlanEndpoint& now)
{
    const endpoint_name& name = *before.name;
    return !before.gone && (name.pod[0] == '\0' ||
                            (now.pod == name.pod && now.pod_namespace == name.pod_namespace));
}

// Goes through the parts of a plan: what is the very part that was in its place before stays as it
// is; number(place, known) makes the entries of the others, known being that of the same key.
template <class Part, class Row, class Number>
Result<void> number_parts(const PartList<Part>& parts, const NumberedList<Part, Row>& current,
                          NumberedList<Part, Row>& next, Number number)
{
    next = current;
    if (parts.is(current.planned))
        return {};
    next.planned = parts;
    const auto& before = current.entries.all();
    const auto stays = [&](size_t place) {
        return place < parts.size() && place < before.size() && parts.part(place) != nullptr &&
               parts.part(place) == before[place].part;
    };
    std::vector<uint32_t> changed;
    std::vector<Numbered<Part, Row>> entries(parts.size());
    for (uint32_t place = 0; place < parts.size(); ++place) {
        if (stays(place))
            entries[place] = before[place];
        else if (parts.part(place) != nullptr)
            changed.push_back(place);
    }
    std::unordered_map<std::string_view, const Numbered<Part, Row>*> left;
    for (size_t place = 0; place < before.size() && !changed.empty(); ++place)
        if (!stays(place) && before[place].part != nullptr)
            left.emplace(before[place].part->key, &before[place]);
    for (const uint32_t place : changed) {
        const auto known = left.find(parts[place].key);
        auto entry = number(place, known == left.end() ? nullptr : known->second);
        if (!entry)
            return std::unexpected(entry.error());
        entries[place] = std::move(*entry);
        entries[place].part = parts.part(place);
    }
    next.entries = std::move(entries);
    return {};
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
    using Rule = Numbered<PlanRule, rule_info>;
    using Ruleset = Numbered<PlanRuleset, RulesetRows>;
    using Identity = Numbered<PlanIdentity, NoRow>;

    Result<void> number_rules();
    Result<void> number_identities();
    Result<void> number_rulesets();
    Ruleset number_ruleset(const PlanRuleset& planned, const Ruleset* known);
    void number_addresses();
    void number_services();
    void number_endpoints();
    EndpointRow number_endpoint(size_t place);
    uint32_t identity(uint32_t planned) const;
    uint32_t ruleset_number(uint32_t planned) const;

    const Plan& plan_;
    const Applied& current_;
    Applied next_;
    Recovery recovery_;
};

Result<void> Numbering::number_rules()
{
    const auto number = [&](uint32_t place, const Rule* known) -> Result<Rule> {
        Rule entry;
        const rule_info info = encode_rule(plan_.rules[place]);
        if (known != nullptr)
            entry.number = known->number;
        else if (const auto pinned = recovery_.rule(info))
            entry.number = *pinned;
        else
            entry.number = next_.free_rules.take();
        entry.row = known != nullptr && same_bytes(*known->row, info)
                        ? known->row
                        : std::make_shared<rule_info>(info);
        return entry;
    };
    return number_parts(plan_.rules, current_.rules, next_.rules, number);
}

Result<void> Numbering::number_identities()
{
    const auto number = [&](uint32_t place, const Identity* known) -> Result<Identity> {
        if (known != nullptr)
            return Identity{nullptr, known->number, nullptr};
        const auto pinned = recovery_.identity(place);
        return Identity{nullptr, pinned ? *pinned : next_.next_identity++, nullptr};
    };
    return number_parts(plan_.identities, current_.identities, next_.identities, number);
}

// The rows of a rule set under the number that they have or get.
Numbering::Ruleset Numbering::number_ruleset(const PlanRuleset& planned, const Ruleset* known)
{
    const NumberedRuleset numbered{planned, next_.rules, next_.identities};
    if (known != nullptr)
        if (auto rows = extend_rows(known->row, numbered))
            return {nullptr, known->number, std::move(rows)};
    auto rows = make_rows(numbered, next_.next_ruleset);
    if (auto pinned = recovery_.ruleset(*rows))
        return *pinned;
    return {nullptr, next_.next_ruleset++, std::move(rows)};
}

Result<void> Numbering::number_rulesets()
{
    const auto number = [&](uint32_t place, const Ruleset* known) -> Result<Ruleset> {
        const PlanRuleset& planned = plan_.rulesets[place];
        if (planned.bits.size() > RULES_MAX)
            return fail(E2BIG, fmt::format("a rule set needs {} rules and can have {}",
                                           planned.bits.size(), RULES_MAX));
        return number_ruleset(planned, known);
    };
    return number_parts(plan_.rulesets, current_.rulesets, next_.rulesets, number);
}

uint32_t Numbering::identity(uint32_t planned) const
{
    if (planned == PLAN_IDENTITY_NODE)
        return IDENTITY_NODE;
    return planned == PLAN_IDENTITY_SERVICE ? uint32_t{IDENTITY_SERVICE}
                                            : next_.identities.entries[planned].number;
}

uint32_t Numbering::ruleset_number(uint32_t planned) const
{
    if (planned == PLAN_RULESET_NONE)
        return RULESET_NONE;
    return planned == PLAN_RULESET_CLOSED ? uint32_t{RULESET_CLOSED}
                                          : next_.rulesets.entries[planned].number;
}

void Numbering::number_addresses()
{
    next_.addresses = current_.addresses;
    if (plan_.addresses.is(current_.addresses.planned))
        return;
    Table<address_key, uint32_t> rows;
    rows.reserve(plan_.addresses.size());
    for (const auto& planned : plan_.addresses)
        rows.emplace_back(encode_address(planned.address), identity(planned.identity));
    next_.addresses.planned = plan_.addresses;
    next_.addresses.rows =
        std::make_shared<Table<address_key, uint32_t>>(sorted_unique(std::move(rows)));
}

void Numbering::number_services()
{
    next_.services = current_.services;
    if (plan_.services.is(current_.services.planned))
        return;
    Table<service_key, uint32_t> rows;
    for (const auto& planned : plan_.services)
        rows.emplace_back(encode_service(planned), identity(planned.identity));
    next_.services.planned = plan_.services;
    next_.services.rows =
        std::make_shared<Table<service_key, uint32_t>>(sorted_unique(std::move(rows)));
}

EndpointRow Numbering::number_endpoint(size_t place)
{
    const PlanEndpoint& planned = plan_.endpoints[place];
    const EndpointRow* known = current_.endpoints.find(planned.ifindex);
    EndpointRow row;
    if (known != nullptr && !known->gone && known->part == plan_.endpoints.part(place)) {
        row = *known;
    } else {
        const bool same = known != nullptr && is_same_endpoint(*known, planned);
        row.part = plan_.endpoints.part(place);
        row.index = same ? known->index : next_.free_indexes.take();
        row.attached = same && known->attached;
        row.name = std::make_shared<endpoint_name>(encode_name(planned, row.index));
    }
    for (size_t i = 0; i < row.rulesets.size(); ++i)
        row.rulesets[i] = ruleset_number(planned.ruleset[i]);
    return row;
}

void Numbering::number_endpoints()
{
    next_.endpoints.reserve(plan_.endpoints.size());
    for (size_t place = 0; place < plan_.endpoints.size(); ++place)
        next_.endpoints.put(plan_.endpoints[place].ifindex, number_endpoint(place));
}

Result<Applied> Numbering::run()
{
    auto done = number_rules();
    if (done)
        done = number_identities();
    if (done)
        done = number_rulesets();
    if (!done)
        return std::unexpected(done.error());
    number_addresses();
    number_services();
    number_endpoints();
    return std::move(next_);
}

} // namespace

Applied with_closed(const Applied& current, const std::vector<PlanEndpoint>& newcomers)
{
    Applied next = current;
    for (const auto& planned : newcomers) {
        const EndpointRow* known = next.endpoints.find(planned.ifindex);
        if (known != nullptr && is_same_endpoint(*known, planned))
            continue;
        EndpointRow row;
        row.index = next.free_indexes.take();
        row.name = std::make_shared<endpoint_name>(encode_name(planned, row.index));
        row.rulesets = {RULESET_CLOSED, RULESET_CLOSED};
        next.endpoints.put(planned.ifindex, std::move(row));
    }
    return next;
}

Result<Applied> number_plan(const Plan& plan, const Applied& current)
{
    return Numbering(plan, current).run();
}

} // namespace ebpfd
