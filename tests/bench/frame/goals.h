// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "bench/frame/results.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace bench {

// What the datapath and the agent shall cost.
struct Goal {
    std::string group; // whose measurements tell
    std::string what;
    std::string unit; // empty: a ratio
    double limit = 0;
    bool at_least = false; // else: at most
    // From the results; nothing where they do not have it.
    std::function<std::optional<double>(const Results&)> figure;
    std::string profile{}; // where it goes, for the report where the goal is not reached
};

struct Judgement {
    const Goal* goal = nullptr;
    std::optional<double> figure;
    bool measured = false; // the group was; then a figure that is missing is a mistake

    bool reached() const;
};

const std::vector<Goal>& goals();
std::vector<Judgement> judge(const Results& results, const std::vector<Goal>& by = goals());

} // namespace bench
