// SPDX-License-Identifier: Apache-2.0
#include "tables.h"

#include <map>
#include <string_view>

namespace ebpfd {
namespace {

// The map behind an option: "flows" is flow_map.
std::string map_name(std::string table)
{
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
    const auto add = [&](const std::string& map, const std::string& table,
                         const std::string& option) {
        // Of the map, not of the option: a restart with another one adopts the map as it is.
        if (const auto found = by_name.find(map); found != by_name.end())
            out.push_back({.name = table,
                           .used = found->second->entries,
                           .capacity = found->second->capacity,
                           .option = option});
    };
    for (const auto& option : capacity_options())
        if (!std::string_view(option.table).ends_with("_ring"))
            add(map_name(option.table), option.table, option.name);
    add("health_map", "health", "--max-flows");
    add("kdrop_map", "kernel_drops", "--max-endpoints");
    return out;
}

} // namespace ebpfd
