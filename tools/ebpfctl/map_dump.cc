// SPDX-License-Identifier: Apache-2.0
#include "ebpfctl/command.h"
#include "ebpfctl/map_rows.h"

#include <algorithm>
#include <fmt/format.h>

namespace ebpfd::ctl {
namespace {

const MapView* find_view(const std::string& name)
{
    for (auto views : {ruleset_views(), endpoint_views(), traffic_views()})
        for (const MapView& view : views)
            if (view.name == name)
                return &view;
    return nullptr;
}

// Why there is nothing to show: a ring or a cache, or no such map at all.
std::unexpected<Error> not_shown(const PinnedMaps& maps, const std::string& name)
{
    auto summaries = maps.summaries();
    if (!summaries)
        return std::unexpected(summaries.error());
    auto found = std::ranges::find(*summaries, name, &MapSummary::name);
    if (found == summaries->end())
        return fail(ENOENT, fmt::format("no map {}: ebpfctl map list shows their names", name));
    return fail(0, fmt::format("{} ({}) is the datapath's own: it has no entries to show", name,
                               found->type));
}

Result<Exit> dump(const Context& context, const std::string& name)
{
    auto maps = context.maps();
    if (!maps)
        return std::unexpected(maps.error());
    const MapView* view = find_view(name);
    if (view == nullptr)
        return not_shown(**maps, name);
    auto rows = view->rows(**maps);
    if (!rows)
        return fail(name, rows.error());
    std::sort(rows->begin(), rows->end()); // maps have no order of their own
    return context.print({*rows, {{"", "", view->columns, {}}}});
}

} // namespace

Action define_map_dump(CLI::App& app)
{
    auto name = std::make_shared<std::string>();
    app.add_option("name", *name, "As map list shows it")->required()->type_name("NAME");
    return [name](const Context& context) { return dump(context, *name); };
}

} // namespace ebpfd::ctl
