// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "endpoint_totals.h"
#include "rule_totals.h"

#include <mutex>

namespace ebpfd {

// What the datapath has counted, as sums that only rise: rows of the kernel's maps belong to an
// interface or a rule, and start anew with the next one. Thread-safe.
class Totals {
public:
    // most_series bounds the series that name pods, and those that name rules.
    explicit Totals(size_t most_series)
        : endpoints_(most_series / series_per_pod), rules_(most_series)
    {
    }

    // After each change that has settled, before the next one: what has gone is read for the last
    // time, since its rows may be given away.
    Result<void> settled(const PinnedMaps& maps);

    struct Values {
        std::vector<TrafficTotal> traffic;
        pod_health health{}; // of all endpoints together
        std::map<std::string, uint64_t> kernel_drops;
        PodTotals pods;
        VerdictTotals verdicts;
    };
    Result<Values> read(const PinnedMaps& maps);

private:
    std::mutex mutex_;
    EndpointTotals endpoints_;
    RuleTotals rules_;
};

} // namespace ebpfd
