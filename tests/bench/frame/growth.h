// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace bench {

// How a cost grows with a size.
class Growth {
public:
    using Points = std::vector<std::pair<double, double>>; // (size, cost)

    // Of three sizes or more: not at all, where that is nearly so; else the nearest, by relative
    // differences, of a part for each, a part for each tenfold, and a power of the size. Nothing of
    // fewer sizes, and where a size or a cost is not above zero.
    static std::optional<Growth> fit(const Points& points);

    double at(double size) const;
    // "41.2", "41.2 + 0.003 n", "41.2 + 1.2 log n", "2.1 n^0.50".
    std::string text() const;
    // The largest relative difference to a point.
    double error() const { return error_; }

private:
    enum class Shape : uint8_t { constant, linear, logarithmic, power };

    Growth(Shape shape, const Points& points);

    Shape shape_;
    double fixed_ = 0; // of a power: its factor
    double grows_ = 0; // of a power: its exponent
    double error_ = 0;
    double squares_ = 0; // of relative differences, summed
};

} // namespace bench
