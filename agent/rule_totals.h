// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "kernel/pinned.h"
#include "observe/bounded_totals.h"
#include "observe/metrics.h"
#include "read_gone.h"

#include <map>

namespace ebpfd {

// The verdicts of the rules in force, by the names that policies give them. A rule whose content
// changes keeps its series: it has another number then, and the same name.
class RuleTotals {
public:
    explicit RuleTotals(size_t most_series) : verdicts_(most_series) {}

    Result<void> follow(const PinnedMaps& maps, Reading reading);
    const VerdictTotals& verdicts() const { return verdicts_; }

private:
    // The series of a rule, one for each verdict; that for which the rule is there always shows.
    struct Rule {
        SeriesName allow;
        SeriesName deny;
        bool denies = false;
    };
    static Rule describe(const rule_info& info);
    Result<void> count(const PinnedMaps& maps, uint32_t number, const Rule& rule);

    std::map<uint32_t, Rule> rules_; // by number
    Increases<2> increases_;
    VerdictTotals verdicts_;
};

} // namespace ebpfd
