// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace bench {

// How a cost grows with a size: a fixed part and an equal one for each, or a power of the size.
class Growth {
public:
    // Of (size, cost) at three sizes or more, the better of both by relative errors; nothing of
    // fewer, and where a size or a cost is not above zero.
    static std::optional<Growth> fit(const std::vector<std::pair<double, double>>& points);

    double at(double size) const;
    // "41.2 + 0.003 n", "2.1 n^0.5", "41.2".
    std::string text() const;
    // The largest relative difference to a point.
    double error() const { return error_; }

private:
    Growth(double constant, double factor, double exponent)
        : constant_(constant), factor_(factor), exponent_(exponent)
    {
    }
    void compare(const std::vector<std::pair<double, double>>& points);

    double constant_; // cost = constant + factor * size ^ exponent
    double factor_;
    double exponent_;
    double error_ = 0;
    double squares_ = 0; // of relative differences, summed
};

} // namespace bench
