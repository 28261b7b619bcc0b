// SPDX-License-Identifier: Apache-2.0
#include "bench/frame/chart.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <set>

namespace bench {
namespace {

constexpr double plot_width = 480;
constexpr double right = 24;
constexpr double top = 44;
constexpr double row = 30;        // of a bar chart
constexpr double value_room = 60; // behind bars
constexpr double plot_height = 260;
constexpr double line_chart_left = 70;
constexpr double far_apart = 30; // largest to smallest: beyond, the scale is logarithmic

// Told apart by people who do not see all colours (Okabe and Ito).
constexpr std::array colors{"#0072b2", "#e69f00", "#009e73", "#cc79a7",
                            "#d55e00", "#56b4e9", "#7f7f7f", "#000000"};

const char* color(size_t number)
{
    return colors.at(number % colors.size());
}

std::string escaped(const std::string& text)
{
    std::string out;
    for (const char c : text)
        switch (c) {
        case '&':
            out += "&amp;";
            break;
        case '<':
            out += "&lt;";
            break;
        case '>':
            out += "&gt;";
            break;
        case '"':
            out += "&quot;";
            break;
        default:
            out += c;
        }
    return out;
}

// Elements of one picture.
class Svg {
public:
    Svg(double width, double height)
        : text_(fmt::format(
              "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" "
              "height=\"{1}\" font-family=\"sans-serif\" font-size=\"12\">\n"
              "<rect width=\"{0}\" height=\"{1}\" fill=\"#ffffff\"/>\n",
              width, height))
    {
    }
    void line(double x1, double y1, double x2, double y2, const char* stroke, double thick = 1)
    {
        text_ += fmt::format("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" "
                             "stroke=\"{}\" stroke-width=\"{}\"/>\n",
                             x1, y1, x2, y2, stroke, thick);
    }
    void box(double x, double y, double wide, double high, const char* fill)
    {
        text_ += fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" "
                             "fill=\"{}\"/>\n",
                             x, y, std::max(wide, 0.0), high, fill);
    }
    void dot(double x, double y, const char* fill)
    {
        text_ +=
            fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\" fill=\"{}\"/>\n", x, y, fill);
    }
    void text(double x, double y, const std::string& words, const char* anchor = "start")
    {
        text_ += fmt::format(
            "<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\" fill=\"#222222\">{}</text>\n", x, y,
            anchor, escaped(words));
    }
    void title(const Axes& axes)
    {
        text_ += fmt::format("<text x=\"12\" y=\"20\" font-size=\"14\" font-weight=\"bold\" "
                             "fill=\"#222222\">{}</text>\n",
                             escaped(axes.title + ", " + axes.unit));
    }
    std::string finish() { return std::move(text_) + "</svg>\n"; }

private:
    std::string text_;
};

// The largest step of 1, 2 or 5 times a power of ten that makes at least four of the span.
double step_of(double span)
{
    const double power = std::pow(10, std::floor(std::log10(span / 4)));
    for (const double factor : {5.0, 2.0})
        if (power * factor <= span / 4)
            return power * factor;
    return power;
}

// What the longest name takes, in the font's width.
double name_room(const auto& named)
{
    size_t longest = 0;
    for (const auto& one : named)
        longest = std::max(longest, one.name.size());
    return 40 + 6.5 * static_cast<double>(longest);
}

// From values to 0 ... 1.
class Scale {
public:
    explicit Scale(const std::vector<Spread>& values)
    {
        double least = INFINITY;
        for (const Spread& value : values) {
            least = std::min(least, value.min);
            from_ = std::min(from_, value.min);
            to_ = std::max(to_, value.max);
        }
        if (to_ <= from_)
            to_ = from_ + 1;
        logarithmic_ = least > 0 && to_ / least > far_apart;
        if (logarithmic_)
            from_ = std::pow(10, std::floor(std::log10(least)));
    }
    double at(double value) const
    {
        return logarithmic_ ? std::log(value / from_) / std::log(to_ / from_)
                            : (value - from_) / (to_ - from_);
    }
    std::vector<double> ticks() const
    {
        std::vector<double> out;
        if (logarithmic_) {
            for (double tick = from_; tick <= to_; tick *= 10)
                out.push_back(tick);
            return out;
        }
        const double step = step_of(to_ - from_);
        for (double count = std::ceil(from_ / step); count * step <= to_; ++count)
            out.push_back(count * step);
        return out;
    }
    double origin() const { return logarithmic_ ? 0 : at(0); }

private:
    double from_ = 0;
    double to_ = 0;
    bool logarithmic_ = false;
};

void draw_lines(Svg& svg, const std::vector<Line>& lines, const auto& x, const auto& y)
{
    const double right_of_plot = line_chart_left + plot_width;
    for (size_t i = 0; i < lines.size(); ++i) {
        const Point* last = nullptr;
        for (const Point& point : lines[i].points) {
            if (last)
                svg.line(x(last->size), y(last->value.median), x(point.size), y(point.value.median),
                         color(i), 2);
            svg.line(x(point.size), y(point.value.min), x(point.size), y(point.value.max),
                     color(i));
            svg.dot(x(point.size), y(point.value.median), color(i));
            last = &point;
        }
        const double beside = top + 8 + 20 * static_cast<double>(i);
        svg.box(right_of_plot + 14, beside - 9, 10, 10, color(i));
        svg.text(right_of_plot + 30, beside, lines[i].name);
    }
}

} // namespace

std::string short_number(double value)
{
    const double size = std::abs(value);
    if (size == std::floor(size) || size >= 100) {
        // No locale of the system's: the same text everywhere.
        const double power = size < 1000 ? 1 : std::pow(10, std::floor(std::log10(size)) - 2);
        std::string digits = fmt::format("{:.0f}", std::round(size / power) * power);
        for (size_t at = digits.size(); at > 3; at -= 3)
            digits.insert(at - 3, 1, ',');
        return value < 0 ? fmt::format("-{}", digits) : digits;
    }
    return fmt::format("{:.{}f}", value, size >= 10 ? 1 : size >= 1 ? 2 : 3);
}

std::string bar_chart(const Axes& axes, const std::vector<Bar>& bars)
{
    std::vector<Spread> values;
    for (const Bar& bar : bars)
        values.push_back(bar.value);
    const Scale scale(values);
    const double bottom = top + row * static_cast<double>(bars.size());
    const double left = name_room(bars);
    const auto x = [&](double at) { return left + at * plot_width; };
    Svg svg(left + plot_width + value_room + right, bottom + 28);
    svg.title(axes);
    for (const double tick : scale.ticks()) {
        svg.line(x(scale.at(tick)), top - 4, x(scale.at(tick)), bottom, "#dddddd");
        svg.text(x(scale.at(tick)), bottom + 16, short_number(tick), "middle");
    }
    for (size_t i = 0; i < bars.size(); ++i) {
        const auto& [min, median, max] = bars[i].value;
        const double y = top + row * static_cast<double>(i), middle = y + row / 2 - 3;
        const double from = std::min(scale.origin(), scale.at(median));
        const double to = std::max(scale.origin(), scale.at(median));
        svg.box(x(from), y, x(to) - x(from), row - 8, color(i));
        svg.line(x(scale.at(min)), middle, x(scale.at(max)), middle, "#222222");
        for (const double end : {min, max})
            svg.line(x(scale.at(end)), middle - 4, x(scale.at(end)), middle + 4, "#222222");
        svg.text(left - 8, middle + 4, bars[i].name, "end");
        svg.text(x(std::max(to, scale.at(max))) + 6, middle + 4, short_number(median));
    }
    return svg.finish();
}

std::string line_chart(const Axes& axes, const std::vector<Line>& lines)
{
    std::vector<Spread> values;
    std::set<double> sizes;
    for (const Line& line : lines)
        for (const Point& point : line.points) {
            values.push_back(point.value);
            sizes.insert(point.size);
        }
    const Scale scale(values);
    const double left = line_chart_left, bottom = top + plot_height;
    const double least = sizes.empty() ? 0 : std::log1p(*sizes.begin());
    const double most = sizes.size() < 2 ? least + 1 : std::log1p(*sizes.rbegin());
    const auto x = [&](double size) {
        return left + (std::log1p(size) - least) / (most - least) * plot_width;
    };
    const auto y = [&](double value) { return bottom - scale.at(value) * plot_height; };
    Svg svg(left + plot_width + name_room(lines) + right, bottom + 48);
    svg.title(axes);
    for (const double tick : scale.ticks()) {
        svg.line(left, y(tick), left + plot_width, y(tick), "#dddddd");
        svg.text(left - 8, y(tick) + 4, short_number(tick), "end");
    }
    for (const double size : sizes)
        svg.text(x(size), bottom + 18, short_number(size), "middle");
    svg.text(left + plot_width / 2, bottom + 38, axes.size_name, "middle");
    draw_lines(svg, lines, x, y);
    return svg.finish();
}

} // namespace bench
