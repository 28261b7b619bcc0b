// SPDX-License-Identifier: Apache-2.0
#include "kernel/adopt.h"

#include "kernel/ruleset_rows.h"

#include <algorithm>
#include <map>
#include <set>

namespace ebpfd {

namespace {

template <class K>
Result<void> adopt_slots(const Map<K, identity_slots>& map, uint32_t parity,
                         std::shared_ptr<const Table<K, uint32_t>>& rows, std::vector<K>& unsettled)
{
    Table<K, uint32_t> table;
    auto done = map.for_each([&](const K& key, const identity_slots& slots) {
        const uint32_t in_force = slots.number[parity];
        if (in_force != IDENTITY_WORLD)
            table.emplace_back(key, in_force);
        if (in_force == IDENTITY_WORLD || slots.number[parity ^ 1] != in_force)
            unsettled.push_back(key);
    });
    std::ranges::sort(table, ByBytes{}, [](const auto& row) { return row.first; });
    rows = std::make_shared<Table<K, uint32_t>>(std::move(table));
    return done;
}

Result<void> adopt_endpoints(const Maps& maps, uint32_t parity, Adopted& adopted)
{
    auto rows = maps.endpoints.entries();
    if (!rows)
        return std::unexpected(rows.error());
    std::set<uint32_t> indexes;
    for (const auto& [ifindex, value] : *rows) {
        auto name = maps.names.lookup(ifindex);
        if (!name)
            return std::unexpected(name.error());
        EndpointRow row;
        row.index = value.index;
        row.name = std::make_shared<endpoint_name>(name->value_or(endpoint_name{}));
        std::ranges::copy(value.slot[parity].ruleset, row.rulesets.begin());
        adopted.applied.endpoints.put(ifindex, std::move(row));
        if (!same_bytes(value.slot[0], value.slot[1]) || !*name)
            adopted.unsettled.endpoints.push_back(ifindex);
        indexes.insert(value.index);
    }
    adopted.applied.free_indexes = NumberPool(0, maps.endpoints.capacity(), indexes);
    return {};
}

Result<void> adopt_rules(const Maps& maps, Applied& applied)
{
    std::set<uint32_t> numbers;
    auto done = maps.rules.for_each([&](uint32_t number, const rule_info& info) {
        applied.rules.entries.push_back({nullptr, number, std::make_shared<rule_info>(info)});
        numbers.insert(number);
    });
    applied.free_rules = NumberPool(1, maps.hits.capacity(), numbers);
    return done;
}

Result<void> adopt_rulesets(const Maps& maps, Applied& applied)
{
    SharedBitmaps bitmaps;
    std::map<uint32_t, std::shared_ptr<RulesetRows>> found;
    auto rows_of = [&](uint32_t number) -> RulesetRows& {
        auto& rows = found[number];
        if (!rows)
            rows = std::make_shared<RulesetRows>();
        return *rows;
    };
    auto done = maps.rulesets.for_each(
        [&](uint32_t number, const ruleset& value) { rows_of(number).header = header_of(value); });
    if (done)
        done = maps.peers.for_each([&](const peer_key& key, const bitmap& rules) {
            rows_of(key.ruleset).peers.emplace_back(key.identity, bitmaps.share(rules));
        });
    if (done)
        done = maps.cidrs.for_each([&](const cidr_key& key, const bitmap& rules) {
            rows_of(key.ruleset).cidrs.add(key, rules);
        });
    if (done)
        done = maps.ports.for_each([&](const port_key& key, const bitmap& rules) {
            rows_of(key.ruleset).ports.add(key, rules);
        });
    for (const auto& [number, rows] : found) {
        std::ranges::sort(rows->peers, {}, [](const auto& row) { return row.first; });
        applied.rulesets.entries.push_back({nullptr, number, rows});
    }
    return done;
}

Result<void> find_stale_flows(const Maps& maps, Adopted& adopted)
{
    return maps.flows.for_each([&](const flow_key& key, const flow&) {
        if (!adopted.applied.endpoints.contains(key.ifindex))
            adopted.stale_flows.insert(key.ifindex);
    });
}

} // namespace

Result<Adopted> adopt(const Maps& maps, const datapath_state& state)
{
    const uint32_t parity = state.generation & 1;
    Adopted adopted;
    auto& applied = adopted.applied;
    applied.next_ruleset = std::max<uint32_t>(state.next_ruleset, RULESET_FIRST);
    applied.next_identity = std::max<uint32_t>(state.next_identity, IDENTITY_FIRST);
    auto done =
        adopt_slots(maps.addresses, parity, applied.addresses.rows, adopted.unsettled.addresses);
    if (done)
        done =
            adopt_slots(maps.services, parity, applied.services.rows, adopted.unsettled.services);
    if (done)
        done = adopt_endpoints(maps, parity, adopted);
    if (done)
        done = adopt_rules(maps, applied);
    if (done)
        done = adopt_rulesets(maps, applied);
    if (done)
        done = find_stale_flows(maps, adopted);
    if (!done)
        return fail("read the pinned maps", done.error());
    return adopted;
}

} // namespace ebpfd
