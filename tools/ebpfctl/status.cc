// SPDX-License-Identifier: Apache-2.0
#include "ebpfctl/cell.h"
#include "ebpfctl/clock.h"
#include "ebpfctl/command.h"

#include <fmt/format.h>
#include <thread>

namespace ebpfd::ctl {
namespace {

using Clock = std::chrono::steady_clock;

std::string apply_text(const Json& status)
{
    std::string error = string_at(status, "/last_apply/error");
    if (!error.empty())
        return "failed: " + error;
    return fmt::format("{} ({} us)", value_text(member(status, "/last_apply/time")),
                       value_text(member(status, "/last_apply/duration_us")));
}

const std::vector<Column> MEMBERS{
    {"Health", "/health"},
    {"Revision", "/revision"},
    {"Generation", "/generation"},
    {"Mode", "/mode"},
    {"Node", "/node_name"},
    {"Version", "/version"},
    {"PID", "/pid"},
    {"Started", "/started"},
    {"Attachment", "/attach"},
    {"Last apply", "", false, apply_text},
};

std::vector<Cell> file_error(const Json& row, bool)
{
    return {
        {fmt::format("  {}:{}:{}: {}", string_at(row, "/file"), value_text(member(row, "/line")),
                     value_text(member(row, "/column")), string_at(row, "/reason"))}};
}

std::vector<Cell> warning(const Json& row, bool)
{
    return {{"  " + value_text(row)}};
}

Report report_of(const Json& status)
{
    return {
        status,
        {{"", "", MEMBERS, {}},
         {"Files with errors:", "/files_with_errors", {}, file_error},
         {"Warnings:", "/warnings", {}, warning},
         {"",
          "/directories",
          {{"DIRECTORY", "/path"}, {"KIND", "/kind"}, {"FILES", "/files"}, {"ERROR", "/error"}},
          {}},
         {"",
          "/capacities",
          {{"TABLE", "/name"}, {"USED", "/used"}, {"CAPACITY", "/capacity"}, {"OPTION", "/option"}},
          {}},
         {"",
          "/hooks",
          {{"HOOK", "/name"}, {"ATTACHED BY", "/attachment"}, {"WHY NOT", "/error"}},
          {}},
         {"", "/counts", {}, {}}}};
}

// Rescans; tries again while the agent is still starting.
Result<Json> rescan(const Context& context, milliseconds timeout)
{
    constexpr milliseconds PAUSE{50}, MARGIN{500};
    auto deadline = Clock::now() + timeout;
    while (true) {
        auto left = std::max(std::chrono::ceil<milliseconds>(deadline - Clock::now()), PAUSE);
        auto status =
            context.post(fmt::format("/v1/rescan?timeout_ms={}", left.count()), {}, left + MARGIN);
        bool absent = !status && status.error().code == ECONNREFUSED;
        if (!absent || Clock::now() >= deadline)
            return status;
        std::this_thread::sleep_for(std::min(PAUSE, left));
    }
}

bool cannot_be_read(const Json& directory)
{
    return !string_at(directory, "/error").empty() && member(directory, "/tolerated") != true;
}

// After a rescan: in force, unless a file was refused, a folder cannot be read or the last apply
// failed.
bool all_in_force(const Json& status)
{
    return member(status, "/files_with_errors").empty() &&
           std::ranges::none_of(member(status, "/directories"), cannot_be_read) &&
           string_at(status, "/last_apply/error").empty();
}

std::unexpected<Error> explain(Error error)
{
    if (error.code == ECONNREFUSED)
        error.message += " What is pinned can be seen without it: ebpfctl map list, endpoint list";
    return std::unexpected(std::move(error));
}

Result<Exit> show(const Context& context)
{
    auto status = context.get("/v1/status");
    if (!status)
        return explain(status.error());
    bool degraded = member(*status, "/health") != "ok";
    return context.print(report_of(*status), degraded ? Exit::degraded : Exit::ok);
}

Result<Exit> wait(const Context& context, const std::string& timeout)
{
    auto duration = parse_duration(timeout);
    if (!duration)
        return fail(EINVAL, fmt::format("--timeout {}: say 500ms, 10s or 2m", timeout));
    auto status = rescan(context, *duration);
    if (!status)
        return explain(status.error());
    return context.print(report_of(*status), all_in_force(*status) ? Exit::ok : Exit::degraded);
}

} // namespace

Action define_status(CLI::App& app)
{
    auto waits = std::make_shared<bool>(false);
    auto timeout = std::make_shared<std::string>("10s");
    app.add_flag("--wait", *waits, "Rescan the directories now, return once all is in force");
    app.add_option("--timeout", *timeout, "How long --wait waits, for the agent to start too")
        ->capture_default_str()
        ->type_name("DURATION");
    return [=](const Context& context) { return *waits ? wait(context, *timeout) : show(context); };
}

} // namespace ebpfd::ctl
