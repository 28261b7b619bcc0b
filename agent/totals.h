// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "kernel/pinned.h"
#include "observe/bounded_totals.h"
#include "observe/metrics.h"

#include <map>
#include <mutex>
#include <vector>

namespace ebpfd {

// What the datapath has counted, as sums that only rise: rows of the kernel's maps belong to an
// interface or a rule, and start anew with the next one. Thread-safe.
class Totals {
public:
    // most_series bounds the series that name pods, and those that name rules.
    explicit Totals(size_t most_series);

    // After each change that has settled, before the next one: what has gone is read for the last
    // time, since its rows may be given away.
    Result<void> settled(const PinnedMaps& maps);

    struct Values {
        std::vector<TrafficTotal> traffic;
        PodTotals pods;
        VerdictTotals verdicts;
    };
    Result<Values> read(const PinnedMaps& maps);

private:
    static constexpr size_t endpoint_counts = size_t{COUNTERS_PER_ENDPOINT} * 2;
    // The series of a rule, one for each verdict; that for which the rule is there always shows.
    struct Rule {
        SeriesName allow;
        SeriesName deny;
        bool denies = false;
    };
    enum class Which : uint8_t { gone, all };

    Result<void> follow_endpoints(const PinnedMaps& maps, Which which);
    Result<void> count_endpoint(const PinnedMaps& maps, uint32_t index, const SeriesName& pod);
    Result<void> follow_rules(const PinnedMaps& maps, Which which);
    Result<void> count_rule(const PinnedMaps& maps, uint32_t number, const Rule& rule);
    static Rule describe(const rule_info& info);
    std::vector<TrafficTotal> traffic() const;

    std::mutex mutex_;
    std::map<uint32_t, SeriesName> endpoints_; // pods, by index
    std::map<uint32_t, Rule> rules_;           // by number
    Increases<endpoint_counts> endpoint_increases_;
    Increases<2> rule_increases_;
    std::vector<counter> node_; // rows of all endpoints together
    PodTotals pods_;
    VerdictTotals verdicts_;
};

} // namespace ebpfd
