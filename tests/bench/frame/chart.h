// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>
#include <vector>

namespace bench {

// A value as it came out: drawn at the median, with whiskers from min to max.
struct Spread {
    double min = 0;
    double median = 0;
    double max = 0;
};

struct Bar {
    std::string name;
    Spread value;
};

struct Point {
    double size = 0;
    Spread value;
};

struct Line {
    std::string name;
    std::vector<Point> points; // by rising size
};

struct Axes {
    std::string title;
    std::string unit;
    std::string size_name{}; // of line charts
};

// SVG documents that stand for themselves: no script, no style sheet, text escaped. The scale
// begins at zero, or is logarithmic where values are far apart and all above zero.
std::string bar_chart(const Axes& axes, const std::vector<Bar>& bars);
// Sizes stand at log(1 + size), so that zero has a place.
std::string line_chart(const Axes& axes, const std::vector<Line>& lines);

// As tables and charts write them: three digits that count, thousands separated: "12,300", "7.25",
// "7".
std::string short_number(double value);

} // namespace bench
