// SPDX-License-Identifier: Apache-2.0
#include "ebpfctl/cell.h"
#include "ebpfctl/clock.h"
#include "ebpfctl/command.h"

#include <algorithm>
#include <fmt/format.h>
#include <thread>

namespace ebpfd::ctl {
namespace {

// "250 tcx, 1 clsact".
std::string places_text(const Json& row)
{
    std::vector<std::string> places;
    for (const Json& place : member(row, "/attached"))
        places.push_back(
            fmt::format("{} {}", value_text(member(place, "/count")), string_at(place, "/kind")));
    return places.empty() ? "-" : fmt::format("{}", fmt::join(places, ", "));
}

std::string percent(const Json& share)
{
    return share.is_number() ? fmt::format("{:.2f}%", 100 * share.get<double>()) : "-";
}

std::string time_text(const Json& row)
{
    const Json& ns = member(row, "/ns_a_run");
    return ns.is_number() ? fmt::format("{:.0f}", ns.get<double>()) : "-";
}

const std::vector<Column> COLUMNS{
    {"PROGRAM", "/program"},
    {"ID", "/id"},
    {"ATTACHED", "", false, places_text},
    {"RUNS", "/runs"},
    {"NS A RUN", "", false, time_text},
    {"SHARE", "", false, [](const Json& row) { return percent(member(row, "/share")); }},
};
const Column OF_A_CORE{"OF A CORE", "", false,
                       [](const Json& row) { return percent(member(row, "/of_a_core")); }};

Json share_of(uint64_t part, double whole)
{
    return whole > 0 ? Json(static_cast<double>(part) / whole) : Json();
}

Json program_row(const LoadedProgram& program, uint64_t all_ns, const Json& seconds)
{
    Json places = Json::array();
    for (const auto& [kind, count] : program.attached)
        places.push_back({{"kind", kind}, {"count", count}});
    const double measured_ns = seconds.is_number() ? seconds.get<double>() * 1e9 : 0;
    return {{"program", program.name},
            {"id", program.id},
            {"attached", places},
            {"runs", program.runs},
            {"run_time_ns", program.nanoseconds},
            {"ns_a_run", share_of(program.nanoseconds, static_cast<double>(program.runs))},
            {"share", share_of(program.nanoseconds, static_cast<double>(all_ns))},
            {"of_a_core", share_of(program.nanoseconds, measured_ns)}};
}

// seconds: over which the programs ran so often; null: since they were loaded.
Exit show(const Context& context, const ProgramStatistics& statistics, const Json& seconds)
{
    uint64_t all_ns = 0;
    for (const LoadedProgram& program : statistics.programs)
        all_ns += program.nanoseconds;
    Json rows = Json::array();
    for (const LoadedProgram& program : statistics.programs)
        rows.push_back(program_row(program, all_ns, seconds));
    auto columns = COLUMNS;
    if (seconds.is_number())
        columns.push_back(OF_A_CORE);
    return context.print(
        {{{"counted", statistics.counted}, {"seconds", seconds}, {"programs", rows}},
         {{"", "/programs", columns, {}}}});
}

Result<Exit> show_sums(const Context& context)
{
    const auto statistics = context.sources.programs(context.options.bpffs);
    if (!statistics)
        return std::unexpected(statistics.error());
    if (!statistics->counted)
        context.note("the kernel does not count runs at all times: what stands here may be old. "
                     "To count for a while: ebpfctl stats programs --for 10s; from now on: "
                     "sysctl -w kernel.bpf_stats_enabled=1");
    return show(context, *statistics, nullptr);
}

// What ran since: a program that is new has run since it was loaded.
void subtract(ProgramStatistics& statistics, const ProgramStatistics& before)
{
    for (LoadedProgram& program : statistics.programs) {
        const auto then = std::ranges::find(before.programs, program.id, &LoadedProgram::id);
        if (then == before.programs.end())
            continue;
        program.runs -= then->runs;
        program.nanoseconds -= then->nanoseconds;
    }
}

Result<Exit> show_runs_during(const Context& context, const std::string& text)
{
    const auto duration = parse_duration(text);
    if (!duration || *duration == milliseconds(0))
        return fail(EINVAL, fmt::format("--for {}: say 500ms, 10s or 2m", text));
    const auto counting = context.sources.count_runs();
    if (!counting)
        return std::unexpected(counting.error());
    const auto before = context.sources.programs(context.options.bpffs);
    if (!before)
        return std::unexpected(before.error());
    const auto start = Moment::now();
    std::this_thread::sleep_for(*duration);
    auto after = context.sources.programs(context.options.bpffs);
    if (!after)
        return std::unexpected(after.error());
    subtract(*after, *before);
    after->counted = true;
    return show(context, *after, Moment::now().seconds_since(start.monotonic));
}

std::unexpected<Error> explain(const Context& context, Error error)
{
    if (error.code == ENOENT)
        return fail(ECONNREFUSED, fmt::format("nothing is pinned below {}: is ebpfd running?",
                                              context.options.bpffs));
    return std::unexpected(std::move(error));
}

} // namespace

Action define_stats_programs(CLI::App& app)
{
    auto span = std::make_shared<std::string>();
    app.add_option("--for", *span,
                   "Have the kernel count for so long, and show the runs of that time")
        ->type_name("DURATION");
    return [=](const Context& context) -> Result<Exit> {
        auto shown = span->empty() ? show_sums(context) : show_runs_during(context, *span);
        if (!shown)
            return explain(context, shown.error());
        return shown;
    };
}

} // namespace ebpfd::ctl
