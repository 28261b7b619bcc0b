// SPDX-License-Identifier: Apache-2.0
#include "bench/frame/report.h"

#include "bench/frame/chart.h"
#include "bench/frame/goals.h"
#include "bench/frame/growth.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>
#include <fstream>
#include <set>
#include <sstream>

namespace bench {
namespace {

constexpr size_t enough_for_p99 = 20;

std::string file_name(const Measurement& what)
{
    std::string name = what.group + "-" + what.name;
    for (char& c : name)
        c = std::isalnum(static_cast<unsigned char>(c))
                ? static_cast<char>(std::tolower(static_cast<unsigned char>(c)))
                : '-';
    return name + ".svg";
}

Spread spread(const Samples& samples)
{
    return {samples.at(0), samples.median(), samples.at(1)};
}

Axes axes(const Measurement& what)
{
    return {.title = fmt::format("{}: {}", what.group, what.name),
            .unit = what.unit + (what.more_is_better ? " (more is better)" : ""),
            .size_name = what.size_name};
}

std::vector<Line> lines_of(const Measured& measured)
{
    std::vector<Line> lines;
    for (const Figure& figure : measured.figures) {
        auto line = std::ranges::find(lines, figure.variant, &Line::name);
        if (line == lines.end())
            line = lines.insert(lines.end(), {figure.variant, {}});
        line->points.push_back({figure.size.value_or(0), spread(figure.samples)});
    }
    for (Line& line : lines)
        std::ranges::sort(line.points, {}, &Point::size);
    return lines;
}

bool has_sizes(const Measured& measured)
{
    return std::ranges::any_of(measured.figures,
                               [](const Figure& figure) { return figure.size.has_value(); });
}

// Nothing where a picture would show a single value.
std::string chart_of(const Measured& measured)
{
    if (measured.figures.size() < 2)
        return {};
    if (has_sizes(measured))
        return line_chart(axes(measured.what), lines_of(measured));
    std::vector<Bar> bars;
    for (const Figure& figure : measured.figures)
        bars.push_back({figure.variant, spread(figure.samples)});
    return bar_chart(axes(measured.what), bars);
}

std::string ratio_text(std::optional<double> ratio)
{
    return ratio ? fmt::format("{:.2f}", *ratio) : "";
}

std::optional<double> against(const Results* baseline, const Measurement& what,
                              const Figure& figure)
{
    const Measured* before = baseline ? baseline->find(what.group, what.name) : nullptr;
    const Figure* then = before ? before->find(figure.variant, figure.size) : nullptr;
    if (!then)
        return {};
    return figure.samples.median() / then->samples.median();
}

std::string table(const Measured& measured, const Results* baseline)
{
    const bool sized = has_sizes(measured);
    const bool with_p99 = std::ranges::any_of(measured.figures, [](const Figure& figure) {
        return figure.samples.values().size() >= enough_for_p99;
    });
    std::vector<std::string> columns{measured.what.unit};
    if (sized)
        columns.push_back(measured.what.size_name);
    columns.insert(columns.end(), {"min", "median"});
    if (with_p99)
        columns.emplace_back("p99");
    columns.emplace_back("max");
    const bool with_ratio = sized || !measured.what.base.empty();
    if (with_ratio)
        columns.push_back("to " +
                          (measured.what.base.empty() ? "the smallest" : measured.what.base));
    if (baseline)
        columns.emplace_back("to the baseline");
    std::string out = fmt::format("| {} |\n|", fmt::join(columns, " | "));
    for (size_t i = 0; i < columns.size(); ++i)
        out += i == 0 ? "---|" : "--:|";
    for (const Figure& figure : measured.figures) {
        out += "\n| " + figure.variant;
        if (sized)
            out += " | " + (figure.size ? short_number(*figure.size) : "");
        out += " | " + short_number(figure.samples.at(0)) + " | " +
               short_number(figure.samples.median());
        if (with_p99)
            out += " | " + short_number(figure.samples.at(0.99));
        out += " | " + short_number(figure.samples.at(1));
        if (with_ratio)
            out += " | " + ratio_text(measured.ratio_of(figure));
        if (baseline)
            out += " | " + ratio_text(against(baseline, measured.what, figure));
        out += " |";
    }
    return out + "\n";
}

using Group = std::vector<const Measured*>;

std::string side_by_side(const Group& group, double size)
{
    const Measurement& first = group.front()->what;
    std::string head =
        fmt::format("| {} {}, ratio to {}", short_number(size), first.size_name, first.base);
    std::string line = "\n|---|", rows;
    for (const Figure& figure : group.front()->figures)
        if (figure.size == size && figure.variant != first.base) {
            head += " | " + figure.variant;
            line += "--:|";
        }
    for (const Measured* measured : group) {
        rows += fmt::format("| {}{}", measured->what.name,
                            measured->what.more_is_better ? " (more is better)" : "");
        for (const Figure& figure : measured->figures)
            if (figure.size == size && figure.variant != first.base)
                rows += " | " + ratio_text(measured->ratio_of(figure));
        rows += " |\n";
    }
    return "\n" + head + " |" + line + "\n" + rows;
}

// Ratios to the base that measurements of a group share: a table for each size.
std::string side_by_side(const Results& results, const std::string& group)
{
    Group compared;
    std::set<double> sizes;
    for (const Measured& measured : results.all()) {
        if (measured.what.group != group || measured.what.base.empty())
            continue;
        compared.push_back(&measured);
        for (const Figure& figure : measured.figures)
            if (figure.size)
                sizes.insert(*figure.size);
    }
    std::string text;
    for (const double size : sizes)
        text += side_by_side(compared, size);
    return text;
}

std::string verdict(const Judgement& judgement)
{
    if (judgement.figure)
        return judgement.reached() ? "yes" : "**no**";
    return judgement.measured ? "no figure" : "not measured";
}

std::string goals_table(const Results& results)
{
    std::string out = "| goal | limit | figure | reached |\n|---|--:|--:|---|\n";
    for (const Judgement& judgement : judge(results)) {
        const Goal& goal = *judgement.goal;
        const std::string unit = goal.unit.empty() ? "" : " " + goal.unit;
        std::string figure;
        if (judgement.figure)
            figure = goal.unit.empty() ? fmt::format("{:.3f}", *judgement.figure)
                                       : short_number(*judgement.figure) + unit;
        out += fmt::format("| {} | {} {}{} | {} | {} |\n", goal.what, goal.at_least ? "≥" : "≤",
                           goal.limit, unit, figure, verdict(judgement));
    }
    return out;
}

std::string profiles(const Results& results)
{
    std::string out;
    for (const Judgement& judgement : judge(results))
        if (judgement.figure && !judgement.reached() && !judgement.goal->profile.empty())
            out += fmt::format("- **{}**: {}\n", judgement.goal->what, judgement.goal->profile);
    return out.empty() ? "" : "\nWhere it goes, of what is not reached:\n\n" + out;
}

// A size of zero has no logarithm: it is not part of a curve.
std::optional<Growth> growth_of(const Line& line)
{
    std::vector<std::pair<double, double>> points;
    for (const Point& point : line.points)
        if (point.size > 0)
            points.emplace_back(point.size, point.value.median);
    return Growth::fit(points);
}

// What each cost would be at ten times the largest size it was measured at.
std::string growth_table(const Results& results)
{
    std::string rows;
    for (const Measured& measured : results.all()) {
        if (!has_sizes(measured))
            continue;
        for (const Line& line : lines_of(measured)) {
            const auto growth = growth_of(line);
            if (!growth)
                continue;
            const double last = line.points.back().size;
            rows += fmt::format(
                "| {}: {}, {} | {} | {} | {:.0f} % | {} | {} {} | {} |\n", measured.what.group,
                measured.what.name, line.name, measured.what.size_name, growth->text(),
                100 * growth->error(), short_number(line.points.back().value.median),
                short_number(growth->at(10 * last)), measured.what.unit, short_number(10 * last));
        }
    }
    if (rows.empty())
        return "";
    return "\n## Growth\n\nThe curve through each cost that was measured at three sizes or more, "
           "and "
           "what it makes of a size ten times the largest: none, where sizes hardly matter, or a "
           "part for each (n), for each tenfold (log n), or a power of the size, whichever is "
           "nearest. Curves know nothing of what comes to an end, such as a cache that nothing "
           "fits into any more.\n\n| cost | n | curve | off by | measured last | predicted | at |\n"
           "|---|---|---|--:|--:|--:|--:|\n" +
           rows;
}

std::string about(const Results& results)
{
    const Machine& machine = results.machine;
    return fmt::format(
        "{}, {} cores, {} MiB, Linux {}; {}. Load average {:.2f} before and {:.2f} after{}.\n\n"
        "Each table gives min, median and max over the rounds. The ways that are compared take "
        "turns, round by round, and a ratio is the median of the rounds' ratios. Figures of a "
        "shared machine move; ratios move less.\n",
        machine.processor, machine.cores, machine.memory_mib, machine.kernel, machine.time,
        machine.load_before, machine.load_after,
        results.quick ? "; a quick run, fewer and shorter rounds" : "");
}

ebpfd::Result<void> write_file(const std::filesystem::path& path, const std::string& text)
{
    std::ofstream file(path);
    file << text << std::flush;
    if (!file)
        return ebpfd::fail_errno("write " + path.string());
    return {};
}

} // namespace

Report make_report(const Results& results, const Results* baseline)
{
    Report report;
    report.text = "# What ebpfd costs\n\nMade by `tests/bench/run`. " + about(results) +
                  "\n## Goals\n\n" + goals_table(results) + profiles(results);
    std::string group;
    for (const Measured& measured : results.all()) {
        if (measured.what.group != group) {
            group = measured.what.group;
            report.text += "\n## Group " + group + "\n" + side_by_side(results, group);
        }
        report.text += "\n### " + measured.what.name + "\n\n";
        if (const std::string chart = chart_of(measured); !chart.empty()) {
            const std::string name = file_name(measured.what);
            report.charts[name] = chart;
            report.text += fmt::format("![{}]({})\n\n", measured.what.name, name);
        }
        report.text += table(measured, baseline);
    }
    report.text += growth_table(results);
    return report;
}

ebpfd::Result<void> write_report(const std::filesystem::path& folder, const Results& results,
                                 const Results* baseline)
{
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error)
        return ebpfd::fail_errno("make " + folder.string(), error.value());
    Report report = make_report(results, baseline);
    auto files = std::move(report.charts);
    files["report.md"] = std::move(report.text);
    files["results.json"] = results.json();
    for (const auto& [name, text] : files)
        if (auto written = write_file(folder / name, text); !written)
            return written;
    return {};
}

ebpfd::Result<Results> read_results(const std::filesystem::path& path)
{
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    if (!file)
        return ebpfd::fail_errno("read " + path.string());
    auto results = Results::parse(text.str());
    if (!results)
        return ebpfd::fail(path.string(), std::move(results.error()));
    return results;
}

} // namespace bench
