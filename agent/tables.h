// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "config.h"
#include "kernel/pinned.h"
#include "observe/metrics.h"

#include <map>
#include <mutex>
#include <vector>

// What the kernel's tables say, for the status and the metrics.
namespace ebpfd {

// How full each table is that has an option. Walks them all: some milliseconds.
Result<std::vector<Usage>> table_usage(const PinnedMaps& maps, const Capacities& capacities);

// Totals of the node by direction and reason. Counters of an endpoint go with it: what it had
// counted is remembered here, so that totals only rise. Thread-safe.
class TrafficTotals {
public:
    // To be called before endpoints may go: their counts until now are remembered.
    Result<void> remember(const PinnedMaps& maps, const std::vector<uint32_t>& going_ifindexes);
    Result<std::vector<TrafficTotal>> read(const PinnedMaps& maps) const;

private:
    mutable std::mutex mutex_;
    std::vector<counter> gone_; // rows of one endpoint; empty: none is gone
};

} // namespace ebpfd
