// SPDX-License-Identifier: Apache-2.0
#include "ebpfctl/command.h"
#include "ebpfctl/flow_rows.h"

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
    {"ID", "/id", true},
};

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
