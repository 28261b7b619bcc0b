// SPDX-License-Identifier: Apache-2.0
#include "model/names.h"
#include "observe/metric_family.h"
#include "observe/metric_groups.h"

#include <algorithm>
#include <bit>

namespace ebpfd {
namespace {

// How connections do, of the node or by pod: the same metrics under another beginning.
class HealthFamilies {
public:
    explicit HealthFamilies(const std::string& prefix)
        : retransmissions_(
              Family::total(prefix + "tcp_retransmissions_total", "TCP segments sent again.")),
          resets_(Family::total(prefix + "tcp_resets_total",
                                "TCP resets, sent by pods or received by them.")),
          failed_connects_(Family::total(prefix + "tcp_failed_connects_total",
                                         "Connections that pods could not open.")),
          accepts_(Family::total(prefix + "tcp_accepts_total",
                                 "Connections that others opened to pods.")),
          overflows_(Family::total(prefix + "tcp_accept_overflows_total",
                                   "Connections that found the accept queue full.")),
          rtt_(Family::histogram(prefix + "tcp_rtt_seconds",
                                 "Smoothed round-trip time, as segments arrive.")),
          connect_(Family::histogram(prefix + "tcp_connect_seconds",
                                     "Time from a pod's SYN to its connection.")),
          unmeasured_(Family::total(prefix + "tcp_unmeasured_connects_total",
                                    "Connections that pods opened, whose time is not known."))
    {
    }
    void add(const pod_health& health, const MetricLabels& labels)
    {
        retransmissions_.add(health.retransmissions, labels);
        resets_.add(health.resets_sent, with(labels, "way", "sent"));
        resets_.add(health.resets_received, with(labels, "way", "received"));
        failed_connects_.add(health.connects_refused, with(labels, "reason", "refused"));
        failed_connects_.add(health.connects_timed_out, with(labels, "reason", "timed-out"));
        failed_connects_.add(health.connects_failed, with(labels, "reason", "other"));
        accepts_.add(health.accepts, labels);
        overflows_.add(health.accept_overflows, labels);
        rtt_.add_histogram(health.srtt, labels);
        connect_.add_histogram(health.connect, labels);
        unmeasured_.add(health.connects_unmeasured, labels);
    }
    void take(Families& out)
    {
        for (auto* family : {&retransmissions_, &resets_, &failed_connects_, &accepts_, &overflows_,
                             &rtt_, &connect_, &unmeasured_})
            out.push_back(family->take());
    }

private:
    static MetricLabels with(MetricLabels labels, const char* name, const char* value)
    {
        labels.emplace_back(name, value);
        return labels;
    }

    Family retransmissions_;
    Family resets_;
    Family failed_connects_;
    Family accepts_;
    Family overflows_;
    Family rtt_;
    Family connect_;
    Family unmeasured_;
};

// A pod's packets or bytes.
struct PodFamily {
    PodCount what;
    Family family;
};

std::vector<PodFamily> pod_families()
{
    return {{PodCount::forwarded_packets, Family::total("ebpfd_pod_forwarded_packets_total",
                                                        "Packets let through to and from a pod.")},
            {PodCount::forwarded_bytes,
             Family::total("ebpfd_pod_forwarded_bytes_total",
                           "Bytes of frames let through to and from a pod.")},
            {PodCount::dropped_packets, Family::total("ebpfd_pod_dropped_packets_total",
                                                      "Packets refused to and from a pod.")},
            {PodCount::dropped_bytes, Family::total("ebpfd_pod_dropped_bytes_total",
                                                    "Bytes of frames refused to and from a pod.")}};
}

pod_health health_of(const PodTotals::Added& counts)
{
    Counts<health_columns> out;
    std::copy(counts.begin() + traffic_columns, counts.end(), out.begin());
    return std::bit_cast<pod_health>(out);
}

} // namespace

void add_health(const MetricValues& values, Families& out)
{
    HealthFamilies families("ebpfd_");
    families.add(values.health, {});
    families.take(out);
    auto drops = Family::total("ebpfd_kernel_drops_total",
                               "Packets of pods that the kernel itself dropped, by its reason.");
    for (const auto& [reason, count] : values.kernel_drops)
        drops.add(count, {{"reason", reason}});
    out.push_back(drops.take());
}

void add_pods(const PodTotals& pods, Families& out)
{
    auto traffic = pod_families();
    HealthFamilies health("ebpfd_pod_");
    auto drops = Family::total("ebpfd_pod_kernel_drops_total",
                               "Packets of a pod that the kernel itself dropped.");
    for_each_series(pods, 2, [&](const SeriesName& name, const PodTotals::Added& counts) {
        const MetricLabels pod{{"namespace", name[0]}, {"pod", name[1]}};
        for (const direction dir : {DIRECTION_INGRESS, DIRECTION_EGRESS})
            for (auto& [what, family] : traffic)
                family.add(counts[column(what, dir)],
                           {{"namespace", name[0]},
                            {"pod", name[1]},
                            {"direction", std::string(direction_name(dir))}});
        health.add(health_of(counts), pod);
        drops.add(health_of(counts).kernel_drops, pod);
    });
    for (auto& entry : traffic)
        out.push_back(entry.family.take());
    health.take(out);
    out.push_back(drops.take());
}

} // namespace ebpfd
