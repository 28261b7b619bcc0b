// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "kernel/pinned.h"
#include "observe/bounded_totals.h"
#include "observe/metrics.h"
#include "read_gone.h"

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace ebpfd {

// What the datapath and the hooks have counted for the node's endpoints, summed up, and by pod.
class EndpointTotals {
public:
    explicit EndpointTotals(size_t most_pods);

    Result<void> follow(const PinnedMaps& maps, Reading reading);
    // By the kernel's reasons; what was counted between the last reading and an endpoint's end is
    // missing here. The sum of all reasons, in health(), is exact.
    Result<void> follow_kernel_drops(const PinnedMaps& maps);

    // What was refused of interfaces that were no pod's yet.
    Result<void> follow_closed(const PinnedMaps& maps);

    // One row for each direction and reason there is.
    std::vector<TrafficTotal> traffic() const;
    pod_health health() const;
    std::map<std::string, uint64_t> kernel_drops() const;
    const PodTotals& pods() const { return pods_; }

private:
    static constexpr size_t endpoint_counts = size_t{COUNTERS_PER_ENDPOINT} * 2;

    Result<void> count(const PinnedMaps& maps, uint32_t index, const SeriesName& pod);
    Result<PodTotals::Added> count_traffic(const PinnedMaps& maps, uint32_t index);
    Result<Counts<health_columns>> count_health(const PinnedMaps& maps, uint32_t index);

    std::map<uint32_t, SeriesName> endpoints_; // pods, by index
    Increases<endpoint_counts> traffic_increases_;
    Increases<health_columns> health_increases_;
    std::map<uint64_t, uint64_t> last_drops_; // by endpoint and reason
    std::vector<counter> traffic_;            // rows of all endpoints together
    std::array<counter, DIRECTION_COUNT> closed_{};
    Counts<health_columns> health_{};
    std::map<uint32_t, uint64_t> drops_; // by reason
    std::optional<DropReasons> reasons_; // once they were needed
    PodTotals pods_;
};

} // namespace ebpfd
