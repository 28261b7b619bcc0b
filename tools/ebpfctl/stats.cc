// SPDX-License-Identifier: Apache-2.0
#include "ebpfctl/cell.h"
#include "ebpfctl/command.h"
#include "ebpfctl/local_endpoint.h"
#include "ebpfctl/rule_view.h"
#include "model/names.h"

#include <fmt/format.h>

namespace ebpfd::ctl {
namespace {

const std::vector<Column> REASON_COLUMNS{
    {"POD", "", false, pod_text}, {"DIRECTION", "/direction"}, {"VERDICT", "/verdict"},
    {"REASON", "/reason"},        {"PACKETS", "/packets"},     {"BYTES", "/bytes"},
};

const std::vector<Column> POD_COLUMNS{
    {"POD", "", false, pod_text},    {"INTERFACE", "/interface", true},
    {"DIRECTION", "/direction"},     {"ALLOWED", "/allowed_packets"},
    {"BYTES", "/allowed_bytes"},     {"DENIED", "/denied_packets"},
    {"BYTES", "/denied_bytes"},      {"WOULD DENY", "/would_deny_packets"},
    {"BYTES", "/would_deny_bytes"},  {"WOULD ALLOW", "/would_allow_packets"},
    {"BYTES", "/would_allow_bytes"},
};

const std::vector<Column> RULE_COLUMNS{
    {"POLICY", "/policy"},
    {"RULE", "/rule"},
    {"DIRECTION", "/direction"},
    {"ACTION", "/action"},
    {"MODE", "/mode"},
    {"FILE", "", false, place_text},
    {"ALLOWED CONNECTIONS", "/allowed_connections"},
    {"DENIED PACKETS", "/denied_packets"},
};

verdict verdict_of(uint32_t reason, uint32_t would)
{
    if (reason < REASON_FIRST_DENIAL)
        return would != 0 ? VERDICT_WOULD_ALLOW : VERDICT_ALLOW;
    return would != 0 ? VERDICT_WOULD_DENY : VERDICT_DENY;
}

// One pod's counters of one direction by reason, those that are not zero.
Json reason_rows(const LocalEndpoint& local, const endpoint_counters& counters, direction dir)
{
    Json rows = Json::array();
    for (uint32_t reason = 0; reason < REASON_COUNT; reason++)
        for (uint32_t would : {0U, 1U}) {
            const counter& sum = counters.row[counter_row(dir, reason, would)];
            if (sum.packets == 0)
                continue;
            Json& row = rows.emplace_back(name_fields(local.name));
            row.update({{"direction", direction_name(dir)},
                        {"verdict", verdict_name(verdict_of(reason, would))},
                        {"reason", reason_name(reason)},
                        {"packets", sum.packets},
                        {"bytes", sum.bytes}});
        }
    return rows;
}

Json pod_row(const LocalEndpoint& local, const endpoint_counters& counters, direction dir)
{
    std::array<counter, VERDICT_COUNT> sums{};
    for (uint32_t reason = 0; reason < REASON_COUNT; reason++)
        for (uint32_t would : {0U, 1U}) {
            const counter& one = counters.row[counter_row(dir, reason, would)];
            sums[verdict_of(reason, would)].packets += one.packets;
            sums[verdict_of(reason, would)].bytes += one.bytes;
        }
    Json row = name_fields(local.name);
    row.update({{"interface", local.interface},
                {"direction", direction_name(dir)},
                {"allowed_packets", sums[VERDICT_ALLOW].packets},
                {"allowed_bytes", sums[VERDICT_ALLOW].bytes},
                {"denied_packets", sums[VERDICT_DENY].packets},
                {"denied_bytes", sums[VERDICT_DENY].bytes},
                {"would_deny_packets", sums[VERDICT_WOULD_DENY].packets},
                {"would_deny_bytes", sums[VERDICT_WOULD_DENY].bytes},
                {"would_allow_packets", sums[VERDICT_WOULD_ALLOW].packets},
                {"would_allow_bytes", sums[VERDICT_WOULD_ALLOW].bytes}});
    return row;
}

// Rows that add(local, counters, direction, rows) makes for every pod and direction.
template <class Add> Result<Json> counter_rows(const Context& context, const Add& add)
{
    auto maps = context.maps();
    if (!maps)
        return std::unexpected(maps.error());
    auto locals = shown_endpoints(**maps, context);
    if (!locals)
        return std::unexpected(locals.error());
    Json rows = Json::array();
    for (const LocalEndpoint& local : *locals) {
        auto counters = (*maps)->counters(local.index);
        if (!counters)
            return std::unexpected(counters.error());
        for (direction dir : {DIRECTION_INGRESS, DIRECTION_EGRESS})
            add(local, *counters, dir, rows);
    }
    return rows;
}

Result<Exit> pods(const Context& context)
{
    auto rows =
        counter_rows(context, [](const auto& local, const auto& counters, direction dir,
                                 Json& out) { out.push_back(pod_row(local, counters, dir)); });
    if (!rows)
        return std::unexpected(rows.error());
    return context.print({*rows, {{"", "", POD_COLUMNS, {}}}});
}

Result<Exit> reasons(const Context& context)
{
    auto rows = counter_rows(context,
                             [](const auto& local, const auto& counters, direction dir, Json& out) {
                                 for (Json& row : reason_rows(local, counters, dir))
                                     out.push_back(std::move(row));
                             });
    if (!rows)
        return std::unexpected(rows.error());
    return context.print({*rows, {{"", "", REASON_COLUMNS, {}}}});
}

Result<Exit> rules(const Context& context)
{
    auto maps = context.maps();
    if (!maps)
        return std::unexpected(maps.error());
    auto infos = (*maps)->rules();
    if (!infos)
        return std::unexpected(infos.error());
    Json rows = Json::array();
    for (const auto& [number, info] : *infos) {
        if (!context.shows(text_of(info.policy_namespace)))
            continue;
        auto hits = (*maps)->hits(number);
        if (!hits)
            return std::unexpected(hits.error());
        Json& row = rows.emplace_back(rule_fields(*infos, number));
        row.update({{"direction", direction_name(info.direction)},
                    {"action", action_name(info.action)},
                    {"mode", mode_name(info.dry_run != 0)},
                    {"allowed_connections", hits->allowed},
                    {"denied_packets", hits->denied}});
    }
    return context.print({rows, {{"", "", RULE_COLUMNS, {}}}});
}

} // namespace

Action define_stats_pods(CLI::App&)
{
    return pods;
}

Action define_stats_reasons(CLI::App&)
{
    return reasons;
}

Action define_stats_rules(CLI::App&)
{
    return rules;
}

} // namespace ebpfd::ctl
