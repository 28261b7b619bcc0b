// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ebpfd/counter.h"
#include "ebpfd/health.h"
#include "model/measured.h"
#include "observe/bounded_totals.h"
#include "observe/flow_log.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ebpfd {

// Exact totals of the node, from the datapath's counters.
struct TrafficTotal {
    direction dir = DIRECTION_INGRESS;
    reason why = REASON_NO_POLICY;
    bool would = false; // VERDICT_WOULD_DENY if the reason denies, else VERDICT_WOULD_ALLOW
    counter total{};
};

// What is counted by pod: its traffic in both directions, then its struct pod_health.
enum class PodCount : uint8_t {
    forwarded_packets,
    forwarded_bytes,
    dropped_packets,
    dropped_bytes
};
constexpr size_t column(PodCount what, direction dir)
{
    return static_cast<size_t>(what) * DIRECTION_COUNT + dir;
}
constexpr size_t traffic_columns = 4 * size_t{DIRECTION_COUNT};
constexpr size_t health_columns = sizeof(pod_health) / sizeof(uint64_t);
constexpr size_t pod_columns = traffic_columns + health_columns;
// Two histograms, of 11 series each, stand for most of those columns.
constexpr size_t series_per_pod = traffic_columns + 10 + 2 * size_t{11};
using PodTotals = BoundedTotals<pod_columns>; // named by namespace and pod
using VerdictTotals = BoundedTotals<1>;       // named by policy, rule, direction and verdict

// A table's load, for gauges and for the status.
struct Usage {
    std::string name;
    uint64_t used = 0;
    uint64_t capacity = 0;
    std::string option; // that raises the capacity
};

// The agent's own process, as Prometheus' client libraries count it.
struct ProcessFacts {
    double cpu_seconds = 0;
    double start_time_seconds = 0; // since 1970
    uint64_t resident_bytes = 0;
    uint64_t virtual_bytes = 0;
    uint64_t open_fds = 0;
    uint64_t max_fds = 0;
    uint64_t refused_calls = 0; // by its own filter
};

// What the metrics say at one moment; counters only ever rise.
struct MetricValues {
    std::string version;
    std::string mode;
    uint32_t generation = 0;
    uint64_t revision = 0;
    bool degraded = false;
    uint64_t endpoints = 0;
    uint64_t policies = 0;
    uint64_t pods = 0;
    uint64_t files_with_errors = 0;
    uint64_t attach_failures = 0;
    std::vector<TrafficTotal> traffic;
    VerdictTotals verdicts{0};
    pod_health health{}; // of all pods together
    // By the kernel's word for the reason.
    std::map<std::string, uint64_t> kernel_drops;
    std::optional<PodTotals> by_pod; // where it is wanted
    FlowCounts flows;
    ledger losses{};
    std::vector<RingFill> rings;
    std::vector<Usage> usage;
    std::vector<ProgramRuns> programs;
    std::map<std::string, bool> hooks; // by name, whether they are attached
    uint64_t records_consumed = 0;
    uint64_t records_dropped = 0;
    uint64_t readers = 0;
    std::optional<FlowLog::Counts> flow_log; // where there is one
    ProcessFacts process;
};

// The stages of an apply, of which each has its time.
struct ApplyTimes {
    std::chrono::nanoseconds read{};   // of files that changed
    std::chrono::nanoseconds parse{};  // of the same, into objects
    std::chrono::nanoseconds gather{}; // of objects, interfaces and who has them
    std::chrono::nanoseconds compile{};
    std::chrono::nanoseconds wait{};   // for what the last change left to do
    std::chrono::nanoseconds write{};  // of all that no packet sees yet
    std::chrono::nanoseconds flip{};   // until the node judges by it
    std::chrono::nanoseconds attach{}; // of new interfaces, and detaching of old ones
    std::chrono::nanoseconds names{};  // that records get

    // Each with its name, in their order.
    auto stages() const
    {
        return std::to_array<std::pair<const char*, std::chrono::nanoseconds>>(
            {{"read", read},
             {"parse", parse},
             {"gather", gather},
             {"compile", compile},
             {"wait", wait},
             {"write", write},
             {"flip", flip},
             {"attach", attach},
             {"names", names}});
    }
};

// The durations and outcomes of applies since the start. Thread-safe.
class ApplyMetrics {
public:
    ApplyMetrics();
    ~ApplyMetrics();
    // From a change that was noticed to its being in force, or to its failure.
    void observe(std::chrono::nanoseconds duration, bool applied);
    void observe_stages(const ApplyTimes& times);
    // Interfaces that had lost their programs and have them again.
    void count_reattached(size_t interfaces);

    // The text of /metrics, in the format of Prometheus.
    std::string render(const MetricValues& values) const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace ebpfd
