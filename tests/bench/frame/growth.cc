// SPDX-License-Identifier: Apache-2.0
#include "bench/frame/growth.h"

#include "bench/frame/chart.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <set>

namespace bench {
namespace {

using Points = std::vector<std::pair<double, double>>;

constexpr size_t enough_sizes = 3;

// Least squares of relative differences, with both parts at least zero: no cost shrinks below
// nothing beyond the sizes that were measured.
std::pair<double, double> fit_line(const Points& points)
{
    double one = 0, x = 0, xx = 0, y = 0, xy = 0;
    for (const auto& [size, cost] : points) {
        const double weight = 1 / (cost * cost);
        one += weight;
        x += weight * size;
        xx += weight * size * size;
        y += weight * cost;
        xy += weight * size * cost;
    }
    const double determinant = one * xx - x * x;
    const double each = (one * xy - x * y) / determinant;
    const double fixed = (xx * y - x * xy) / determinant;
    if (each < 0)
        return {y / one, 0};
    if (fixed < 0)
        return {0, xy / xx};
    return {fixed, each};
}

// A line through the logarithms.
std::pair<double, double> fit_power(const Points& points)
{
    const auto count = static_cast<double>(points.size());
    double x = 0, y = 0, xx = 0, xy = 0;
    for (const auto& [size, cost] : points) {
        x += std::log(size);
        y += std::log(cost);
        xx += std::log(size) * std::log(size);
        xy += std::log(size) * std::log(cost);
    }
    const double exponent = (count * xy - x * y) / (count * xx - x * x);
    return {std::exp((y - exponent * x) / count), exponent};
}

} // namespace

std::optional<Growth> Growth::fit(const Points& points)
{
    std::set<double> sizes;
    for (const auto& [size, cost] : points) {
        if (size <= 0 || cost <= 0)
            return {};
        sizes.insert(size);
    }
    if (sizes.size() < enough_sizes)
        return {};
    const auto [fixed, each] = fit_line(points);
    const auto [factor, exponent] = fit_power(points);
    Growth line(fixed, each, 1), power(0, factor, exponent);
    line.compare(points);
    power.compare(points);
    return line.squares_ <= power.squares_ ? line : power;
}

void Growth::compare(const Points& points)
{
    for (const auto& [size, cost] : points) {
        const double difference = std::abs(at(size) - cost) / cost;
        error_ = std::max(error_, difference);
        squares_ += difference * difference;
    }
}

double Growth::at(double size) const
{
    return constant_ + factor_ * std::pow(size, exponent_);
}

std::string Growth::text() const
{
    const auto number = [](double value) {
        return value >= 100 ? short_number(value) : fmt::format("{:.3g}", value);
    };
    if (factor_ == 0)
        return number(constant_);
    const std::string grows = exponent_ == 1
                                  ? number(factor_) + " n"
                                  : fmt::format("{} n^{:.2f}", number(factor_), exponent_);
    return constant_ == 0 ? grows : number(constant_) + " + " + grows;
}

} // namespace bench
