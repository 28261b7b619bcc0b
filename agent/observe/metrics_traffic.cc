// SPDX-License-Identifier: Apache-2.0
#include "model/names.h"
#include "observe/metric_family.h"
#include "observe/metric_groups.h"

#include <map>

namespace ebpfd {
namespace {

bool is_drop(const TrafficTotal& row)
{
    return (row.why >= REASON_FIRST_DENIAL) != row.would;
}

// Of what became of the packets, not of what a dry run would have done.
std::string_view reason_in_force(const TrafficTotal& row)
{
    const bool allowed_in_vain = row.would && row.why < REASON_FIRST_DENIAL;
    return reason_name(allowed_in_vain ? REASON_DENIED : row.why);
}

using Sums = std::map<std::pair<std::string_view, std::string_view>, counter>;

void add_sums(const Sums& sums, Family& packets, Family& bytes)
{
    for (const auto& [names, sum] : sums) {
        const MetricLabels labels{{"direction", std::string(names.first)},
                                  {"reason", std::string(names.second)}};
        packets.add(sum.packets, labels);
        bytes.add(sum.bytes, labels);
    }
}

} // namespace

void add_traffic(const MetricValues& values, Families& out)
{
    auto forwarded_packets = Family::total("ebpfd_forwarded_packets_total", "Packets let through.");
    auto forwarded_bytes =
        Family::total("ebpfd_forwarded_bytes_total", "Bytes of frames let through.");
    auto dropped_packets = Family::total("ebpfd_dropped_packets_total", "Packets refused.");
    auto dropped_bytes = Family::total("ebpfd_dropped_bytes_total", "Bytes of frames refused.");
    auto would_drop = Family::total("ebpfd_would_drop_packets_total",
                                    "Packets let through that dry-run policies, or any policy in "
                                    "audit mode, would refuse.");
    auto would_forward = Family::total("ebpfd_would_forward_packets_total",
                                       "Packets refused that dry-run policies would let through.");
    Sums forwarded;
    Sums dropped;
    for (const auto& row : values.traffic) {
        auto& sum =
            (is_drop(row) ? dropped : forwarded)[{direction_name(row.dir), reason_in_force(row)}];
        sum.packets += row.total.packets;
        sum.bytes += row.total.bytes;
        if (row.would)
            (is_drop(row) ? would_forward : would_drop)
                .add(row.total.packets, {{"direction", std::string(direction_name(row.dir))},
                                         {"reason", std::string(reason_name(row.why))}});
    }
    add_sums(forwarded, forwarded_packets, forwarded_bytes);
    add_sums(dropped, dropped_packets, dropped_bytes);
    for (auto* family : {&forwarded_packets, &forwarded_bytes, &dropped_packets, &dropped_bytes,
                         &would_drop, &would_forward})
        out.push_back(family->take());
}

void add_verdicts(const MetricValues& values, Families& out)
{
    auto verdicts = Family::total("ebpfd_policy_verdicts_total",
                                  "Verdicts by the rule that decided: connections that it let be "
                                  "opened, and packets that it refused.");
    for_each_series(values.verdicts, 4, [&](const SeriesName& name, const Counts<1>& counts) {
        verdicts.add(
            counts[0],
            {{"policy", name[0]}, {"rule", name[1]}, {"direction", name[2]}, {"verdict", name[3]}});
    });
    out.push_back(verdicts.take());
}

} // namespace ebpfd
