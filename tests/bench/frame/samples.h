// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <utility>
#include <vector>

namespace bench {

// Measured values of one thing, in one unit, in the order of the rounds.
class Samples {
public:
    Samples() = default;
    explicit Samples(std::vector<double> values) : values_(std::move(values)) {}
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
    double median() const { return at(0.5); }
    const std::vector<double>& values() const { return values_; }
    bool operator==(const Samples&) const = default;

private:
    std::vector<double> values_;
};

// The median of the rounds' ratios: what slowed both down in a round is in neither. Where the
// rounds cannot be paired, the ratio of the medians.
double ratio(const Samples& samples, const Samples& base);

} // namespace bench
