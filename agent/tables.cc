// SPDX-License-Identifier: Apache-2.0
#include "tables.h"

#include <algorithm>

namespace ebpfd {
namespace {

constexpr uint32_t rows_per_endpoint =
    static_cast<uint32_t>(DIRECTION_COUNT) * static_cast<uint32_t>(REASON_COUNT) * 2;

// The map behind an option: "flows" is flow_map.
std::string map_name(std::string table)
{
    if (table.ends_with("_ring"))
        return table;
    if (table.ends_with('s'))
        table.pop_back();
    if (table == "addresse")
        table = "address";
    return table + "_map";
}

void add(std::vector<counter>& sum, const std::vector<counter>& rows)
{
    for (size_t i = 0; i < sum.size() && i < rows.size(); i++) {
        sum[i].packets += rows[i].packets;
        sum[i].bytes += rows[i].bytes;
    }
}

template <class Wanted>
Result<std::vector<counter>> sum_of(const PinnedMaps& maps, const Wanted& wanted)
{
    const auto endpoints = maps.endpoints();
    if (!endpoints)
        return std::unexpected(endpoints.error());
    std::vector<counter> sum(rows_per_endpoint);
    for (const auto& [ifindex, value] : *endpoints) {
        if (!wanted(ifindex))
            continue;
        const auto rows = maps.counters(value.index);
        if (!rows)
            return std::unexpected(rows.error());
        add(sum, *rows);
    }
    return sum;
}

} // namespace

Result<std::vector<Usage>> table_usage(const PinnedMaps& maps, const Capacities& capacities)
{
    const auto summaries = maps.summaries();
    if (!summaries)
        return std::unexpected(summaries.error());
    std::map<std::string, uint64_t> entries;
    for (const auto& summary : *summaries)
        entries[summary.name] = summary.entries;
    std::vector<Usage> out;
    for (const auto& option : capacity_options())
        if (const std::string name = map_name(option.table); !name.ends_with("_ring"))
            out.push_back({.name = option.table,
                           .used = entries[name],
                           .capacity = capacities.*option.field,
                           .option = option.name});
    return out;
}

Result<void> TrafficTotals::remember(const PinnedMaps& maps,
                                     const std::vector<uint32_t>& going_ifindexes)
{
    if (going_ifindexes.empty())
        return {};
    const auto sum = sum_of(maps, [&](uint32_t ifindex) {
        return std::ranges::binary_search(going_ifindexes, ifindex);
    });
    if (!sum)
        return std::unexpected(sum.error());
    const std::lock_guard lock(mutex_);
    gone_.resize(sum->size());
    add(gone_, *sum);
    return {};
}

Result<std::vector<TrafficTotal>> TrafficTotals::read(const PinnedMaps& maps) const
{
    auto sum = sum_of(maps, [](uint32_t) { return true; });
    if (!sum)
        return std::unexpected(sum.error());
    {
        const std::lock_guard lock(mutex_);
        add(*sum, gone_);
    }
    std::vector<TrafficTotal> out;
    for (uint32_t dir = 0; dir < DIRECTION_COUNT; dir++)
        for (uint32_t why = 0; why < REASON_COUNT; why++)
            for (const uint32_t audited : {0u, 1u})
                if (const auto& row = (*sum)[counter_row(0, dir, why, audited)]; row.packets > 0)
                    out.push_back({.dir = static_cast<direction>(dir),
                                   .why = static_cast<reason>(why),
                                   .audited = audited == 1,
                                   .total = row});
    return out;
}

} // namespace ebpfd
