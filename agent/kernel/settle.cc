// SPDX-License-Identifier: Apache-2.0
#include "kernel/applier.h"
#include "kernel/changes.h"
#include "kernel/grace.h"

#include <algorithm>
#include <set>

namespace ebpfd {

namespace {

template <class K>
Result<void> settle_slots(const Map<K, identity_slots>& map, const Table<K, uint32_t>& table,
                          const std::vector<K>& touched)
{
    Rows<K, identity_slots> kept;
    std::vector<K> gone;
    for (const K& key : touched) {
        if (const uint32_t* number = find_row(table, key))
            kept.add(key, {{*number, *number}});
        else
            gone.push_back(key);
    }
    if (auto done = map.update(kept); !done)
        return done;
    return map.erase(gone);
}

Result<void> settle_endpoints(const Maps& maps, const Applied& applied,
                              const std::vector<uint32_t>& touched)
{
    Rows<uint32_t, endpoint> kept;
    Rows<uint32_t, endpoint_name> names;
    std::vector<uint32_t> gone;
    for (const uint32_t ifindex : touched) {
        const EndpointRow* row = applied.endpoints.find(ifindex);
        if (row == nullptr) {
            gone.push_back(ifindex);
            continue;
        }
        kept.add(ifindex, endpoint_value(*row, *row, 0));
        names.add(ifindex, *row->name);
    }
    auto done = maps.endpoints.update(kept);
    if (done)
        done = maps.names.update(names);
    if (done)
        done = maps.endpoints.erase(gone);
    return done ? maps.names.erase(gone) : done;
}

Result<void> settle_rules(const Map<uint32_t, rule_info>& map, const Applied& applied,
                          const std::vector<uint32_t>& touched)
{
    Rows<uint32_t, rule_info> kept;
    std::set<uint32_t> gone(touched.begin(), touched.end());
    for (const auto& [part, number, info] : applied.rules.entries)
        if (number != 0 && gone.erase(number) > 0)
            kept.add(number, *info);
    if (auto done = map.update(kept); !done)
        return done;
    return map.erase(std::vector<uint32_t>(gone.begin(), gone.end()));
}

Result<void> retire(const Maps& maps, const Applied& applied, const Retirement& retirement)
{
    auto done = settle_slots(maps.addresses, *applied.addresses.rows, retirement.addresses);
    if (done)
        done = settle_slots(maps.services, *applied.services.rows, retirement.services);
    if (done)
        done = settle_endpoints(maps, applied, retirement.endpoints);
    if (done)
        done = settle_rules(maps.rules, applied, retirement.rules);
    if (done)
        done = maps.peers.erase(retirement.peers);
    if (done)
        done = maps.cidrs.erase(retirement.cidrs);
    if (done)
        done = maps.ports.erase(retirement.ports);
    if (done)
        done = maps.rulesets.erase(retirement.rulesets);
    return done;
}

} // namespace

Result<void> Applier::settle()
{
    if (retirement_.empty())
        return {};
    // First for those on their way from one judgement to the other, then for those that were judged
    // under the earlier generation for it.
    if (auto waited = wait_for_packets_in_flight(); !waited)
        return waited;
    state_.set_settled();
    if (auto waited = wait_for_packets_in_flight(); !waited)
        return waited;
    if (auto done = retire(maps_, applied_, retirement_); !done)
        return done;
    const auto done = std::exchange(retirement_, {}); // whatever happens, no number is free twice
    for (const uint32_t number : done.freed_rules)
        applied_.free_rules.give_back(number);
    for (const uint32_t index : done.freed_indexes)
        applied_.free_indexes.give_back(index);
    return {};
}

} // namespace ebpfd
