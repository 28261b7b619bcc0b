// SPDX-License-Identifier: Apache-2.0
#include "ebpfctl/flow_view.h"
#include "ebpfctl/map_rows.h"
#include "model/names.h"

namespace ebpfd::ctl {
namespace {

using Flows = std::vector<std::pair<flow_key, flow>>;

Result<Json> rows_of(const PinnedMaps& maps, const Flows& flows)
{
    auto rules = maps.rules();
    if (!rules)
        return std::unexpected(rules.error());
    auto locals = local_endpoints(maps);
    if (!locals)
        return std::unexpected(locals.error());
    const PeerNames nobody;
    const FlowNames names{*locals, nobody, *rules, Moment::now()};
    Json rows = Json::array();
    for (const auto& [key, entry] : flows)
        rows.push_back(flow_row(names, key, entry));
    return rows;
}

Result<Json> flow_rows(const PinnedMaps& maps)
{
    auto flows = maps.flows(true);
    if (!flows)
        return std::unexpected(flows.error());
    return rows_of(maps, *flows);
}

// The rows of all endpoints there are, those that are not zero.
Result<Json> counter_rows(const PinnedMaps& maps)
{
    auto endpoints = maps.endpoints();
    if (!endpoints)
        return std::unexpected(endpoints.error());
    Json rows = Json::array();
    for (const auto& [ifindex, entry] : *endpoints) {
        auto counters = maps.counters(entry.index);
        if (!counters)
            return std::unexpected(counters.error());
        for (uint32_t row = 0; row < COUNTERS_PER_ENDPOINT; row++) {
            const counter& sum = counters->row[row];
            if (sum.packets == 0)
                continue;
            rows.push_back(Json{{"index", entry.index},
                                {"direction", direction_name(row / 2 / REASON_COUNT)},
                                {"reason", reason_name(row / 2 % REASON_COUNT)},
                                {"audited", row % 2 != 0},
                                {"packets", sum.packets},
                                {"bytes", sum.bytes}});
        }
    }
    return rows;
}

Result<Json> hit_rows(const PinnedMaps& maps)
{
    auto rules = maps.rules();
    if (!rules)
        return std::unexpected(rules.error());
    Json rows = Json::array();
    for (const auto& [number, rule] : *rules) {
        auto hits = maps.hits(number);
        if (!hits)
            return std::unexpected(hits.error());
        rows.push_back(
            Json{{"rule", number}, {"allowed", hits->allowed}, {"denied", hits->denied}});
    }
    return rows;
}

Result<Json> closed_rows(const PinnedMaps& maps)
{
    Json rows = Json::array();
    for (uint32_t dir = 0; dir < DIRECTION_COUNT; dir++) {
        const auto refused = maps.closed(static_cast<direction>(dir));
        if (!refused)
            return std::unexpected(refused.error());
        rows.push_back(Json{{"direction", direction_name(dir)},
                            {"packets", refused->packets},
                            {"bytes", refused->bytes}});
    }
    return rows;
}

Result<Json> ledger_rows(const PinnedMaps& maps)
{
    auto sums = maps.losses();
    if (!sums)
        return std::unexpected(sums.error());
    Json row = {{"flows_full", sums->flows_full},
                {"flows_evicted", sums->flows_evicted},
                {"fragments_full", sums->fragments_full},
                {"health_full", sums->health_full},
                {"drops_full", sums->drops_full}};
    for (uint32_t ring = 0; ring < RING_COUNT; ring++) {
        const ring_ledger sum = ring_sum(&*sums, ring);
        row[ring == RING_REFUSALS ? "refusals" : "flows"] = {{"produced", sum.produced},
                                                             {"delivered", sum.delivered},
                                                             {"suppressed", sum.suppressed},
                                                             {"lost", sum.lost}};
    }
    return Json::array({row});
}

const std::vector<Column> FLOW_COLUMNS{
    {"INTERFACE", "/interface"},     {"DIRECTION", "/direction"},   {"SOURCE", "/source"},
    {"DESTINATION", "/destination"}, {"PROTOCOL", "/protocol"},     {"STATE", "/state"},
    {"VERDICT", "/verdict"},         {"GENERATION", "/generation"}, {"PACKETS", "/packets"},
};

const std::vector<MapView> VIEWS{
    {"flow_map", FLOW_COLUMNS, flow_rows},
    {"counter_map",
     {{"INDEX", "/index"},
      {"DIRECTION", "/direction"},
      {"REASON", "/reason"},
      {"AUDITED", "/audited"},
      {"PACKETS", "/packets"},
      {"BYTES", "/bytes"}},
     counter_rows},
    {"closed_map",
     {{"DIRECTION", "/direction"}, {"PACKETS", "/packets"}, {"BYTES", "/bytes"}},
     closed_rows},
    {"rule_hit_map", {{"RULE", "/rule"}, {"ALLOWED", "/allowed"}, {"DENIED", "/denied"}}, hit_rows},
    {"ledger_map",
     {{"REFUSALS", "/refusals"},
      {"FLOWS", "/flows"},
      {"FLOWS FULL", "/flows_full"},
      {"FLOWS EVICTED", "/flows_evicted"},
      {"FRAGMENTS FULL", "/fragments_full"},
      {"HEALTH FULL", "/health_full"},
      {"DROPS FULL", "/drops_full"}},
     ledger_rows},
};

} // namespace

std::span<const MapView> traffic_views()
{
    return VIEWS;
}

} // namespace ebpfd::ctl
