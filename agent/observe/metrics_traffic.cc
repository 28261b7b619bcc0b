// SPDX-License-Identifier: Apache-2.0
#include "model/names.h"
#include "observe/metric_family.h"
#include "observe/metric_groups.h"

namespace ebpfd {
namespace {

bool is_drop(const TrafficTotal& row)
{
    return row.why >= REASON_FIRST_DENIAL && !row.audited;
}

} // namespace

void add_traffic(const MetricValues& values, Families& out)
{
    auto forwarded_packets = Family::total("ebpfd_forwarded_packets_total", "Packets let through.");
    auto forwarded_bytes =
        Family::total("ebpfd_forwarded_bytes_total", "Bytes of frames let through.");
    auto dropped_packets = Family::total("ebpfd_dropped_packets_total", "Packets refused.");
    auto dropped_bytes = Family::total("ebpfd_dropped_bytes_total", "Bytes of frames refused.");
    auto audited_packets = Family::total("ebpfd_would_drop_packets_total",
                                         "Packets let through in audit mode that a policy denies.");
    for (const auto& row : values.traffic) {
        const MetricLabels labels{{"direction", std::string(direction_name(row.dir))},
                                  {"reason", std::string(reason_name(row.why))}};
        if (row.audited)
            audited_packets.add(row.total.packets, labels);
        (is_drop(row) ? dropped_packets : forwarded_packets).add(row.total.packets, labels);
        (is_drop(row) ? dropped_bytes : forwarded_bytes).add(row.total.bytes, labels);
    }
    for (auto* family :
         {&forwarded_packets, &forwarded_bytes, &dropped_packets, &dropped_bytes, &audited_packets})
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
