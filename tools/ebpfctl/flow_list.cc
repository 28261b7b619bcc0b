// SPDX-License-Identifier: Apache-2.0
#include "ebpfctl/command.h"
#include "ebpfctl/filter_match.h"
#include "ebpfctl/flow_view.h"

#include <algorithm>
#include <fmt/format.h>

namespace ebpfd::ctl {
namespace {

std::string idle_text(const Json& row)
{
    return fmt::format("{:.1f}s", row.at("idle_seconds").get<double>());
}

const std::vector<Column> COLUMNS{
    {"DIRECTION", "/direction"},
    {"SOURCE", "/source"},
    {"DESTINATION", "/destination"},
    {"PROTOCOL", "/protocol"},
    {"STATE", "/state"},
    {"VERDICT", "/verdict"},
    {"REASON", "/reason"},
    {"POLICY", "/policy"},
    {"RULE", "/rule"},
    {"PACKETS", "/packets"},
    {"BYTES", "/bytes"},
    {"IDLE", "", false, idle_text},
    {"SOURCE IP", "/source/ip", true},
    {"DESTINATION IP", "/destination/ip", true},
    {"INTERFACE", "/interface", true},
    {"OPENED", "/opened", true},
};

Result<Json> flow_rows(const Context& context, const PinnedMaps& maps, const Filters& filters,
                       bool pending)
{
    auto locals = local_endpoints(maps);
    if (!locals)
        return std::unexpected(locals.error());
    auto rules = maps.rules();
    if (!rules)
        return std::unexpected(rules.error());
    auto flows = maps.flows(pending);
    if (!flows)
        return std::unexpected(flows.error());
    std::ranges::sort(*flows, {}, [](const auto& entry) { return entry.second.opened_ns; });
    auto labels = asks_for_labels(filters) ? pod_labels(context) : PodLabels{};
    if (!labels)
        return std::unexpected(labels.error());
    PeerNames peers = peer_names(context, *locals);
    FlowNames names{*locals, peers, *rules, Moment::now()};
    Json rows = Json::array();
    for (const auto& [key, entry] : *flows) {
        Json row = flow_row(names, key, entry);
        if (matches(filters, row, *labels))
            rows.push_back(std::move(row));
    }
    return rows;
}

Result<Exit> list(const Context& context, const Filters& given, bool pending)
{
    auto filters = complete(given, context);
    if (!filters)
        return std::unexpected(filters.error());
    auto maps = context.maps();
    if (!maps)
        return std::unexpected(maps.error());
    auto rows = flow_rows(context, **maps, *filters, pending);
    if (!rows)
        return std::unexpected(rows.error());
    return context.print({*rows, {{"", "", COLUMNS, {}}}});
}

} // namespace

Action define_flow_list(CLI::App& app)
{
    auto filters = add_filters(app, false);
    auto pending = std::make_shared<bool>(false);
    app.add_flag("--pending", *pending, "Those too whose peer has not answered");
    return [=](const Context& context) { return list(context, *filters, *pending); };
}

} // namespace ebpfd::ctl
