// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <string>
#include <vector>

namespace bench {

// Measured values of one thing, in one unit.
class Samples {
public:
    void add(double value) { values_.push_back(value); }
    // 0 is the smallest, 0.5 the median, 1 the largest.
    double at(double quantile) const
    {
        if (values_.empty())
            return 0;
        std::vector<double> sorted = values_;
        std::ranges::sort(sorted);
        return sorted[static_cast<size_t>(quantile * static_cast<double>(sorted.size() - 1))];
    }

private:
    std::vector<double> values_;
};

// A group of measurements; prints its own table to stdout. Returns whether it could measure.
bool measure_packets();
bool measure_changes();
bool measure_events();
bool measure_idle();
bool measure_analysis();

} // namespace bench
