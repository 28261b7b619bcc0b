// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "observe/metrics.h"

#include <prometheus/metric_family.h>
#include <vector>

// The parts of what /metrics serves; each appends its metrics.
namespace ebpfd {

using Families = std::vector<prometheus::MetricFamily>;

void add_traffic(const MetricValues& values, Families& out);
void add_verdicts(const MetricValues& values, Families& out);
void add_health(const MetricValues& values, Families& out);
void add_pods(const PodTotals& pods, Families& out);

// What stands in place of the names that found no place.
constexpr const char* overflow_name = "_overflow";

// Visits each name and its counts, those of the overflow as well.
template <size_t N, class Visit>
void for_each_series(const BoundedTotals<N>& totals, size_t labels, const Visit& visit)
{
    for (const auto& [name, counts] : totals.series())
        visit(name, counts);
    if (totals.dropped() > 0)
        visit(SeriesName(labels, overflow_name), totals.overflow());
}

} // namespace ebpfd
