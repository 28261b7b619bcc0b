// SPDX-License-Identifier: Apache-2.0
#include "endpoint_totals.h"

#include "model/names.h"
#include "observe/metric_family.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <set>

namespace ebpfd {
namespace {

bool denies(uint32_t why)
{
    return why >= REASON_FIRST_DENIAL;
}

// Whether a dry run can come to it where packets are refused.
bool can_be_rehearsed(uint32_t why)
{
    return why == REASON_NO_POLICY || why == REASON_RULE;
}

bool has_name(uint32_t why)
{
    return reason_name(why) != "unknown";
}

// Visits the rows of one endpoint: visit(direction, reason, would, row).
template <class Visit> void for_each_row(const Visit& visit)
{
    for (uint32_t dir = 0; dir < DIRECTION_COUNT; dir++)
        for (uint32_t why = 0; why < REASON_COUNT; why++)
            for (const bool would : {false, true})
                visit(static_cast<direction>(dir), static_cast<reason>(why), would,
                      counter_row(dir, why, would ? 1 : 0));
}

// As the series of its pod have it: what became of the packets.
PodTotals::Added by_pod(const endpoint_counters& counters)
{
    PodTotals::Added out{};
    for_each_row([&](direction dir, reason why, bool would, uint32_t row) {
        const bool dropped = denies(why) != would;
        const auto packets = dropped ? PodCount::dropped_packets : PodCount::forwarded_packets;
        const auto bytes = dropped ? PodCount::dropped_bytes : PodCount::forwarded_bytes;
        out[column(packets, dir)] += counters.row[row].packets;
        out[column(bytes, dir)] += counters.row[row].bytes;
    });
    return out;
}

} // namespace

EndpointTotals::EndpointTotals(size_t most_pods) : traffic_(COUNTERS_PER_ENDPOINT), pods_(most_pods)
{
}

Result<PodTotals::Added> EndpointTotals::count_traffic(const PinnedMaps& maps, uint32_t index)
{
    const auto counters = maps.counters(index);
    if (!counters)
        return std::unexpected(counters.error());
    const auto added = std::bit_cast<endpoint_counters>(traffic_increases_.since_last(
        index, std::bit_cast<Counts<endpoint_counts>>(*counters)));
    for (size_t row = 0; row < traffic_.size(); row++) {
        traffic_[row].packets += added.row[row].packets;
        traffic_[row].bytes += added.row[row].bytes;
    }
    return by_pod(added);
}

Result<Counts<health_columns>> EndpointTotals::count_health(const PinnedMaps& maps, uint32_t index)
{
    const auto health = maps.health_of_pod(index);
    if (!health)
        return std::unexpected(health.error());
    const auto added =
        health_increases_.since_last(index, std::bit_cast<Counts<health_columns>>(*health));
    for (size_t i = 0; i < added.size(); i++)
        health_[i] += added[i];
    return added;
}

Result<void> EndpointTotals::count(const PinnedMaps& maps, uint32_t index, const SeriesName& pod)
{
    auto added = count_traffic(maps, index);
    if (!added)
        return std::unexpected(added.error());
    const auto health = count_health(maps, index);
    if (!health)
        return std::unexpected(health.error());
    std::ranges::copy(*health, added->begin() + traffic_columns);
    pods_.add(pod, *added);
    return {};
}

Result<void> EndpointTotals::follow(const PinnedMaps& maps, Reading reading)
{
    const auto names = maps.endpoint_names();
    if (!names)
        return std::unexpected(names.error());
    std::map<uint32_t, SeriesName> present;
    std::set<SeriesName> pods;
    for (const auto& [ifindex, name] : *names) {
        const SeriesName pod{label_text(text_of(name.pod_namespace)),
                             label_text(text_of(name.pod))};
        present[name.index] = pod;
        pods.insert(pod);
    }
    auto done = read_gone(endpoints_, present, [&](const auto& gone) {
        auto counted = count(maps, gone.first, gone.second);
        if (!counted)
            return counted;
        traffic_increases_.forget(gone.first);
        health_increases_.forget(gone.first);
        return counted;
    });
    if (!done)
        return done;
    endpoints_ = std::move(present);
    if (reading == Reading::all)
        for (const auto& [index, pod] : endpoints_)
            if (auto counted = count(maps, index, pod); !counted)
                return counted;
    pods_.retain(pods);
    return {};
}

Result<void> EndpointTotals::follow_kernel_drops(const PinnedMaps& maps)
{
    const auto rows = maps.kernel_drops();
    if (!rows)
        return std::unexpected(rows.error());
    std::map<uint64_t, uint64_t> present;
    for (const auto& row : *rows) {
        const uint64_t key = uint64_t{row.endpoint_index} << 32 | row.reason;
        const uint64_t before = last_drops_[key];
        const uint64_t now = row.total.packets;
        present[key] = now;
        drops_[row.reason] += now >= before ? now - before : now;
    }
    last_drops_ = std::move(present);
    if (!drops_.empty() && !reasons_)
        reasons_ = maps.drop_reasons().value_or(DropReasons{});
    return {};
}

Result<void> EndpointTotals::follow_closed(const PinnedMaps& maps)
{
    for (uint32_t dir = 0; dir < DIRECTION_COUNT; dir++) {
        const auto refused = maps.closed(static_cast<direction>(dir));
        if (!refused)
            return std::unexpected(refused.error());
        closed_[dir] = *refused;
    }
    return {};
}

std::vector<TrafficTotal> EndpointTotals::traffic() const
{
    std::vector<TrafficTotal> out;
    for_each_row([&](direction dir, reason why, bool would, uint32_t row) {
        if (!has_name(why) || (!denies(why) && would && !can_be_rehearsed(why)))
            return;
        counter total = traffic_[row];
        if (why == REASON_UNKNOWN_POD && !would) {
            total.packets += closed_[dir].packets;
            total.bytes += closed_[dir].bytes;
        }
        out.push_back({.dir = dir, .why = why, .would = would, .total = total});
    });
    return out;
}

pod_health EndpointTotals::health() const
{
    return std::bit_cast<pod_health>(health_);
}

std::map<std::string, uint64_t> EndpointTotals::kernel_drops() const
{
    std::map<std::string, uint64_t> out;
    for (const auto& [reason, packets] : drops_)
        out[drop_reason_name(*reasons_, reason)] += packets;
    return out;
}

} // namespace ebpfd
