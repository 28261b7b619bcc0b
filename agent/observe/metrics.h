// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ebpfd/counter.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace ebpfd {

// Exact totals of the node, from the datapath's counters.
struct TrafficTotal {
    direction dir = DIRECTION_INGRESS;
    reason why = REASON_NO_POLICY;
    bool audited = false; // judged as denied, let through
    counter total{};
};

// A table's load, for gauges and for the status.
struct Usage {
    std::string name;
    uint64_t used = 0;
    uint64_t capacity = 0;
    std::string option; // that raises the capacity
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
    std::vector<TrafficTotal> traffic;
    ledger losses{};
    std::vector<Usage> usage;
    uint64_t records_consumed = 0;
    uint64_t records_dropped = 0;
    uint64_t readers = 0;
};

// The durations and outcomes of applies since the start. Thread-safe.
class ApplyMetrics {
public:
    ApplyMetrics();
    ~ApplyMetrics();
    void observe(std::chrono::nanoseconds duration, bool applied);

    // The text of /metrics, in the format of Prometheus.
    std::string render(const MetricValues& values) const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace ebpfd
