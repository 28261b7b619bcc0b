// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"
#include "bench/frame/goals.h"
#include "bench/frame/report.h"
#include "bench/groups.h"
#include "lab/netns.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <exception>
#include <fmt/format.h>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

namespace {

struct Group {
    const char* name;
    const char* what;
    void (*measure)(bench::Run&);
};

constexpr Group groups[] = {
    {"packet", "a packet's cost in the datapath, by test runs", bench::measure_packets},
    {"pods", "traffic between two pods, beside what else enforces policies", bench::measure_pods},
    {"policy", "from a change to packets judged by it, beside other tools", bench::measure_policy},
    {"events", "what records cost the agent", bench::measure_events},
    {"footprint", "memory, start and idle CPU of the agent", bench::measure_footprint},
    {"growth", "the compiler in clusters of up to 1,000,000 pods", bench::measure_growth},
    {"analysis", "questions about policies that are not in force", bench::measure_analysis}};

struct Wish {
    std::vector<std::string> groups;
    std::string baseline;
    std::string from;
    std::string folder = ".";
    bool quick = false;
};

std::string group_list()
{
    std::string text = "Groups:";
    for (const Group& group : groups)
        text += fmt::format("\n  {:10}{}", group.name, group.what);
    return text;
}

bool is_group(const std::string& name)
{
    return std::ranges::any_of(groups, [&](const Group& group) { return group.name == name; });
}

// Whether all that was asked for could be measured.
bool measure(bench::Run& run, const Wish& wish)
{
    bool all = true;
    for (const Group& group : groups) {
        if (!wish.groups.empty() && std::ranges::count(wish.groups, group.name) == 0)
            continue;
        try {
            group.measure(run);
        } catch (const std::exception& error) {
            fmt::print(stderr, "\nebpfd_bench: {}: {}\n", group.name, error.what());
            all = false;
        }
    }
    return all;
}

// A goal whose group has run must find its figure, or the report would hide it.
bool have_figures(const bench::Results& results)
{
    bool all = true;
    for (const bench::Judgement& judgement : bench::judge(results))
        if (judgement.measured && !judgement.figure) {
            fmt::print(stderr, "ebpfd_bench: no figure for \"{}\"\n", judgement.goal->what);
            all = false;
        }
    return all;
}

ebpfd::Result<std::optional<bench::Results>> read(const std::string& file)
{
    if (file.empty())
        return std::nullopt;
    return bench::read_results(file);
}

// Measures, or takes what was measured before, and writes the report.
ebpfd::Result<bool> run(const Wish& wish)
{
    auto baseline = read(wish.baseline);
    if (!baseline)
        return std::unexpected(std::move(baseline.error()));
    auto results = read(wish.from);
    if (!results)
        return std::unexpected(std::move(results.error()));
    bool measured = true;
    if (!*results) {
        lab::remove_leftovers(); // of a run that was interrupted
        bench::Run run(wish.quick);
        measured = measure(run, wish);
        *results = run.finish();
    }
    const bench::Results* before = *baseline ? &**baseline : nullptr;
    if (auto written = bench::write_report(wish.folder, **results, before); !written)
        return std::unexpected(std::move(written.error()));
    fmt::print("{}", bench::make_report(**results, before).text);
    return measured && have_figures(**results);
}

} // namespace

int main(int argc, char** argv)
{
    Wish wish;
    CLI::App app("Measures ebpfd: results.json, report.md and charts.", "ebpfd_bench");
    app.add_flag("--quick", wish.quick, "fewer sizes, fewer and shorter rounds");
    app.add_option("--baseline", wish.baseline, "an earlier results.json to compare with");
    app.add_option("--from", wish.from, "make the report of an earlier results.json anew");
    app.add_option("--out", wish.folder, "folder to write into")->capture_default_str();
    app.add_option("GROUP", wish.groups, "what to measure; all if none is given")
        ->check([](const std::string& name) {
            return is_group(name) ? "" : "no group \"" + name + "\"";
        });
    app.footer(group_list());
    CLI11_PARSE(app, argc, argv);
    // Several datapaths on one interface warn of each other.
    const auto logging = ebpfd::setup_logging("error", "text");
    const auto done = logging ? run(wish) : std::unexpected(logging.error());
    if (!done)
        fmt::print(stderr, "ebpfd_bench: {}\n", done.error().message);
    return done && *done ? 0 : 1;
}
