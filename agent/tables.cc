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

} // namespace ebpfd
