// SPDX-License-Identifier: Apache-2.0
#include "ebpfctl/cell.h"
#include "ebpfctl/command.h"
#include "ebpfctl/local_endpoint.h"

#include <cmath>
#include <fmt/format.h>
#include <numeric>

namespace ebpfd::ctl {
namespace {

std::string time_text(const Json& row, const char* where)
{
    const Json& us = member(row, where);
    return us.is_number() ? fmt::format("{:.2f}ms", us.get<double>() / 1000) : "-";
}

template <const char* WHERE> std::string time_at(const Json& row)
{
    return time_text(row, WHERE);
}

constexpr char RTT_P50[] = "/srtt/p50_us";
constexpr char RTT_P99[] = "/srtt/p99_us";
constexpr char CONNECT_P50[] = "/connect/p50_us";
constexpr char CONNECT_P99[] = "/connect/p99_us";

const std::vector<Column> HEALTH_COLUMNS{
    {"POD", "", false, pod_text},
    {"RTT P50", "", false, time_at<RTT_P50>},
    {"P99", "", false, time_at<RTT_P99>},
    {"CONNECT P50", "", false, time_at<CONNECT_P50>},
    {"P99", "", false, time_at<CONNECT_P99>},
    {"CONNECTS", "/connect/count"},
    {"UNMEASURED", "/connects_unmeasured", true},
    {"REFUSED", "/connects_refused"},
    {"TIMED OUT", "/connects_timed_out"},
    {"FAILED", "/connects_failed", true},
    {"ACCEPTS", "/accepts"},
    {"OVERFLOWS", "/accept_overflows"},
    {"RETRANSMISSIONS", "/retransmissions"},
    {"RESETS SENT", "/resets_sent"},
    {"RECEIVED", "/resets_received"},
    {"KERNEL DROPS", "/kernel_drops"},
    {"INTERFACE", "/interface", true},
};

const std::vector<Column> DROP_COLUMNS{
    {"POD", "", false, pod_text},
    {"REASON", "/reason"},
    {"PACKETS", "/packets"},
    {"BYTES", "/bytes"},
};

// The value below which that share of the entries lies, as if each bucket were filled evenly;
// null without entries.
Json quantile(const histogram& times, double share)
{
    const uint64_t count =
        std::accumulate(std::begin(times.bucket), std::end(times.bucket), uint64_t{0});
    if (count == 0)
        return nullptr;
    const double rank = share * static_cast<double>(count);
    double below = 0;
    for (int i = 0; i < HISTOGRAM_BUCKETS; i++) {
        const auto here = static_cast<double>(times.bucket[i]);
        if (here > 0 && below + here >= rank) {
            const double from = i == 0 ? 0 : std::ldexp(1, i);
            return std::round(from + (std::ldexp(1, i + 1) - from) * (rank - below) / here);
        }
        below += here;
    }
    return std::ldexp(1, HISTOGRAM_BUCKETS);
}

Json histogram_fields(const histogram& times)
{
    const uint64_t count =
        std::accumulate(std::begin(times.bucket), std::end(times.bucket), uint64_t{0});
    Json buckets = Json::array();
    for (int i = 0; i < HISTOGRAM_BUCKETS; i++)
        if (times.bucket[i] != 0)
            buckets.push_back({{"below_us", uint64_t{2} << i}, {"count", times.bucket[i]}});
    return {{"count", count},
            {"sum_us", times.sum_us},
            {"p50_us", quantile(times, 0.5)},
            {"p90_us", quantile(times, 0.9)},
            {"p99_us", quantile(times, 0.99)},
            {"buckets", buckets}};
}

Json health_row(const LocalEndpoint& local, const pod_health& seen)
{
    Json row = name_fields(local.name);
    row.update({{"interface", local.interface},
                {"srtt", histogram_fields(seen.srtt)},
                {"connect", histogram_fields(seen.connect)},
                {"connects_unmeasured", seen.connects_unmeasured},
                {"connects_refused", seen.connects_refused},
                {"connects_timed_out", seen.connects_timed_out},
                {"connects_failed", seen.connects_failed},
                {"accepts", seen.accepts},
                {"accept_overflows", seen.accept_overflows},
                {"retransmissions", seen.retransmissions},
                {"resets_sent", seen.resets_sent},
                {"resets_received", seen.resets_received},
                {"kernel_drops", seen.kernel_drops}});
    return row;
}

// The one pod, or all that are to be shown.
Result<std::vector<LocalEndpoint>> chosen(const Context& context, const PinnedMaps& maps,
                                          const std::string& pod)
{
    if (pod.empty())
        return shown_endpoints(maps, context);
    auto name = context.full_name(pod);
    if (!name)
        return std::unexpected(name.error());
    auto local = find_endpoint(maps, *name);
    if (!local)
        return std::unexpected(local.error());
    return std::vector{*local};
}

Result<Exit> show_health(const Context& context, const std::string& pod)
{
    auto maps = context.maps();
    if (!maps)
        return std::unexpected(maps.error());
    auto locals = chosen(context, **maps, pod);
    if (!locals)
        return std::unexpected(locals.error());
    Json rows = Json::array();
    for (const LocalEndpoint& local : *locals) {
        auto counted = (*maps)->health_of_pod(local.index);
        if (!counted)
            return std::unexpected(counted.error());
        rows.push_back(health_row(local, *counted));
    }
    return context.print({rows, {{"", "", HEALTH_COLUMNS, {}}}});
}

Result<Exit> show_drops(const Context& context, const std::string& pod)
{
    auto maps = context.maps();
    if (!maps)
        return std::unexpected(maps.error());
    auto locals = chosen(context, **maps, pod);
    if (!locals)
        return std::unexpected(locals.error());
    auto all = (*maps)->kernel_drops();
    if (!all)
        return std::unexpected(all.error());
    const auto reasons = (*maps)->drop_reasons().value_or(DropReasons{});
    Json rows = Json::array();
    for (const LocalEndpoint& local : *locals)
        for (const KernelDrops& drops : *all) {
            if (drops.endpoint_index != local.index)
                continue;
            Json& row = rows.emplace_back(name_fields(local.name));
            row.update({{"reason", drop_reason_name(reasons, drops.reason)},
                        {"packets", drops.total.packets},
                        {"bytes", drops.total.bytes}});
        }
    return context.print({rows, {{"", "", DROP_COLUMNS, {}}}});
}

using Show = Result<Exit> (*)(const Context&, const std::string&);

Action define_for_pod(CLI::App& app, Show show)
{
    auto pod = std::make_shared<std::string>();
    app.add_option("pod", *pod, "This one alone: NAMESPACE/NAME")->type_name("POD");
    return [=](const Context& context) { return show(context, *pod); };
}

} // namespace

Action define_stats_health(CLI::App& app)
{
    return define_for_pod(app, show_health);
}

Action define_stats_drops(CLI::App& app)
{
    return define_for_pod(app, show_drops);
}

} // namespace ebpfd::ctl
