// SPDX-License-Identifier: Apache-2.0
#include "ebpfctl/command.h"

namespace ebpfd::ctl {
namespace {

const std::vector<Column> COLUMNS{
    {"NAME", "/name"},        {"TYPE", "/type"},       {"KEY", "/key_size"},
    {"VALUE", "/value_size"}, {"ENTRIES", "/entries"}, {"CAPACITY", "/capacity"},
    {"BYTES", "/bytes"},
};

Result<Exit> list(const Context& context)
{
    auto maps = context.maps();
    if (!maps)
        return std::unexpected(maps.error());
    auto summaries = (*maps)->summaries();
    if (!summaries)
        return std::unexpected(summaries.error());
    Json rows = Json::array();
    for (const MapSummary& map : *summaries)
        rows.push_back({{"name", map.name},
                        {"type", map.type},
                        {"key_size", map.key_size},
                        {"value_size", map.value_size},
                        {"entries", map.entries},
                        {"capacity", map.capacity},
                        {"bytes", map.bytes}});
    return context.print({rows, {{"", "", COLUMNS, {}}}});
}

} // namespace

Action define_map_list(CLI::App&)
{
    return list;
}

} // namespace ebpfd::ctl
