// SPDX-License-Identifier: Apache-2.0
#include "ebpfctl/cell.h"
#include "ebpfctl/clock.h"
#include "ebpfctl/command.h"
#include "ebpfctl/flow_rows.h"
#include "ebpfctl/flow_view.h"
#include "model/names.h"

#include <fmt/format.h>
#include <netinet/in.h>

namespace ebpfd::ctl {
namespace {

std::string traffic_text(const Json& row, const char* direction)
{
    const Json& traffic = row.at(direction);
    return fmt::format("{} packets, {} bytes", traffic.at("packets").get<uint64_t>(),
                       traffic.at("bytes").get<uint64_t>());
}

std::string ingress_text(const Json& row)
{
    return traffic_text(row, "ingress");
}

std::string egress_text(const Json& row)
{
    return traffic_text(row, "egress");
}

// "0.25 ms"; "-" for what was never seen.
std::string time_text(const Json& row, const char* where)
{
    const Json& us = member(row, where);
    if (!us.is_number() || us == 0)
        return "-";
    return fmt::format("{:.2f} ms", us.get<double>() / 1000);
}

std::string rtt_text(const Json& row)
{
    return time_text(row, "/tcp/srtt_us");
}

std::string connect_text(const Json& row)
{
    return time_text(row, "/tcp/connect_us");
}

const std::vector<Column> MEMBERS{
    {"Flow", "/id"},
    {"Verdict", "/verdict"},
    {"Reason", "/reason"},
    {"Policy", "/policy"},
    {"Rule", "/rule"},
    {"Place", "", false, place_text},
    {"In force", "", false, enforced_text},
    {"Direction", "/direction"},
    {"Source", "/source"},
    {"Source IP", "/source/ip"},
    {"Destination", "/destination"},
    {"Destination IP", "/destination/ip"},
    {"Protocol", "/protocol"},
    {"Interface", "/interface"},
    {"State", "/state"},
    {"To the pod", "", false, ingress_text},
    {"From the pod", "", false, egress_text},
    {"Start", "/start"},
    {"Last packet", "/seen"},
    {"End", "/end"},
    {"Closed by", "/closed_by"},
    {"TCP state", "/tcp/state"},
    {"Flags to the pod", "/tcp/flags_ingress"},
    {"Flags from the pod", "/tcp/flags_egress"},
    {"Round trip", "", false, rtt_text},
    {"Connected in", "", false, connect_text},
    {"Retransmissions", "/tcp/retransmissions"},
    {"Resets sent", "/tcp/resets_sent"},
    {"Resets received", "/tcp/resets_received"},
    {"Kernel drops", "/kernel_drops"},
    {"Last for", "/kernel_drop_reason"},
    {"Generation", "/generation"},
};

Json tcp_fields(const flow_key& key, const flow& entry, const health& seen)
{
    if (key.protocol != IPPROTO_TCP)
        return nullptr;
    return {{"flags_ingress", tcp_flag_names(entry.tcp_flags[DIRECTION_INGRESS])},
            {"flags_egress", tcp_flag_names(entry.tcp_flags[DIRECTION_EGRESS])},
            {"state", tcp_state_name(seen.tcp_state)},
            {"srtt_us", seen.srtt_us},
            {"connect_us", seen.connect_us},
            {"retransmissions", seen.retransmissions},
            {"resets_sent", seen.resets_sent},
            {"resets_received", seen.resets_received}};
}

// What the hooks know of the flow, and how it ended.
Result<void> add_health(const PinnedMaps& maps, const DropReasons& reasons, Json& row,
                        const flow_key& key, const flow& entry)
{
    auto known = maps.health_of_flow(key);
    if (!known)
        return std::unexpected(known.error());
    const health seen = known->value_or(health{});
    const Moment now = Moment::now();
    const bool ended = entry.state == FLOW_CLOSED;
    row["start"] = now.text_of(entry.opened_ns);
    row["seen"] = now.text_of(entry.seen_ns);
    row["end"] = ended ? now.text_of(entry.seen_ns) : "";
    row["closed_by"] = closer_name(entry.closer, entry.direction);
    row["tcp"] = tcp_fields(key, entry, seen);
    row["kernel_drops"] = seen.drops;
    row["kernel_drop_reason"] =
        seen.drop_reason == 0 ? "" : drop_reason_name(reasons, seen.drop_reason);
    return {};
}

Json only(const Json& rows, const std::string& id)
{
    Json out = Json::array();
    for (const Json& row : rows)
        if (id.empty() || row.at("id") == id)
            out.push_back(row);
    return out;
}

Result<Exit> get(const Context& context, const std::string& id, const Filters& given)
{
    auto filters = complete(given, context);
    if (!filters)
        return std::unexpected(filters.error());
    if (id.empty() && filters->empty())
        return fail(EINVAL, "which flow? Give an ID of `flow list -o wide`, or filters");
    auto maps = context.maps();
    if (!maps)
        return std::unexpected(maps.error());
    // Without its words a reason is still a number.
    const auto reasons = (*maps)->drop_reasons().value_or(DropReasons{});
    auto rows = flow_rows(context, **maps, *filters, true,
                          [&](Json& row, const flow_key& key, const flow& entry) {
                              return add_health(**maps, reasons, row, key, entry);
                          });
    if (!rows)
        return std::unexpected(rows.error());
    Report report{only(*rows, id), {}};
    if (report.data.empty())
        return fail(ENOENT, "no such flow");
    for (size_t i = 0; i < report.data.size(); i++)
        report.sections.push_back({"", fmt::format("/{}", i), MEMBERS, {}});
    return context.print(report);
}

} // namespace

Action define_flow_get(CLI::App& app)
{
    auto id = std::make_shared<std::string>();
    app.add_option("id", *id, "As `flow list -o wide` shows it")->type_name("ID");
    auto filters = add_filters(app, false);
    return [=](const Context& context) { return get(context, *id, *filters); };
}

} // namespace ebpfd::ctl
