// SPDX-License-Identifier: Apache-2.0
#include "tables.h"

#include <map>

namespace ebpfd {
namespace {

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

} // namespace

Result<std::vector<Usage>> table_usage(const PinnedMaps& maps)
{
    const auto summaries = maps.summaries();
    if (!summaries)
        return std::unexpected(summaries.error());
    std::map<std::string, const MapSummary*> by_name;
    for (const auto& summary : *summaries)
        by_name[summary.name] = &summary;
    std::vector<Usage> out;
    for (const auto& option : capacity_options()) {
        const auto found = by_name.find(map_name(option.table));
        if (found == by_name.end() || found->first.ends_with("_ring"))
            continue;
        // Of the map, not of the option: a restart with another one adopts the map as it is.
        out.push_back({.name = option.table,
                       .used = found->second->entries,
                       .capacity = found->second->capacity,
                       .option = option.name});
    }
    return out;
}

} // namespace ebpfd
