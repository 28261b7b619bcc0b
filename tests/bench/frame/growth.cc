// SPDX-License-Identifier: Apache-2.0
#include "bench/frame/growth.h"

#include "bench/frame/chart.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <set>
#include <tuple>

namespace bench {
namespace {

using Points = Growth::Points;

constexpr size_t enough_sizes = 3;
constexpr double as_good_as_none = 0.05; // what rounds differ by

// cost = first + second * size by least squares of relative differences. Neither part is below
// zero: no cost shrinks below nothing beyond the sizes that were measured.
std::pair<double, double> fit_line(const Points& points)
{
    double one = 0, x = 0, xx = 0, y = 0, xy = 0;
    for (const auto& [size, cost] : points) {
        const double part = 1 / (cost * cost);
        one += part;
        x += part * size;
        xx += part * size * size;
        y += part * cost;
        xy += part * size * cost;
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

Points with_logarithms(Points points)
{
    for (auto& [size, cost] : points)
        size = std::log10(size);
    return points;
}

// A line through the logarithms of both.
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

double fit_constant(const Points& points)
{
    double one = 0, y = 0;
    for (const auto& [size, cost] : points) {
        one += 1 / (cost * cost);
        y += 1 / cost;
    }
    return y / one;
}

bool can_be_fitted(const Points& points)
{
    std::set<double> sizes;
    for (const auto& [size, cost] : points) {
        if (size <= 0 || cost <= 0)
            return false;
        sizes.insert(size);
    }
    return sizes.size() >= enough_sizes;
}

} // namespace

std::optional<Growth> Growth::fit(const Points& points)
{
    if (!can_be_fitted(points))
        return {};
    const Growth constant(Shape::constant, points);
    if (constant.error_ <= as_good_as_none)
        return constant;
    const std::vector<Growth> all{
        {Shape::linear, points}, {Shape::logarithmic, points}, {Shape::power, points}};
    return *std::ranges::min_element(all, {}, &Growth::squares_);
}

Growth::Growth(Shape shape, const Points& points) : shape_(shape)
{
    switch (shape) {
    case Shape::constant:
        fixed_ = fit_constant(points);
        break;
    case Shape::linear:
        std::tie(fixed_, grows_) = fit_line(points);
        break;
    case Shape::logarithmic:
        std::tie(fixed_, grows_) = fit_line(with_logarithms(points));
        break;
    case Shape::power:
        std::tie(fixed_, grows_) = fit_power(points);
        break;
    }
    for (const auto& [size, cost] : points) {
        const double difference = std::abs(at(size) - cost) / cost;
        error_ = std::max(error_, difference);
        squares_ += difference * difference;
    }
}

double Growth::at(double size) const
{
    switch (shape_) {
    case Shape::constant:
        return fixed_;
    case Shape::linear:
        return fixed_ + grows_ * size;
    case Shape::logarithmic:
        return fixed_ + grows_ * std::log10(size);
    case Shape::power:
        return fixed_ * std::pow(size, grows_);
    }
    return 0;
}

std::string Growth::text() const
{
    const auto number = [](double value) {
        return value >= 100 ? short_number(value) : fmt::format("{:.3g}", value);
    };
    switch (shape_) {
    case Shape::constant:
        return number(fixed_);
    case Shape::linear:
        return fmt::format("{} + {} n", number(fixed_), number(grows_));
    case Shape::logarithmic:
        return fmt::format("{} + {} log n", number(fixed_), number(grows_));
    case Shape::power:
        return fmt::format("{} n^{:.2f}", number(fixed_), grows_);
    }
    return "";
}

} // namespace bench
