// SPDX-License-Identifier: Apache-2.0
#include "ebpfctl/clock.h"
#include "ebpfctl/command.h"
#include "ebpfctl/event_line.h"
#include "ebpfctl/filter.h"
#include "ebpfctl/stream_end.h"

#include <fmt/format.h>
#include <mutex>
#include <optional>

namespace ebpfd::ctl {
namespace {

struct ObserveOptions {
    bool follow = false;
    std::optional<uint32_t> last;
    std::string since;
};

Result<std::string> request_path(const ObserveOptions& options, const Filters& filters)
{
    std::string path = fmt::format("/v1/observe?follow={:d}", options.follow);
    if (options.last)
        path += fmt::format("&last={}", *options.last);
    if (!options.since.empty()) {
        auto since = parse_duration(options.since);
        if (!since)
            return fail(EINVAL, fmt::format("--since {}: say 30s, 5m or 1h", options.since));
        path += fmt::format("&since={}", std::chrono::duration<double>(*since).count());
    }
    return path + query_of(filters);
}

Result<Exit> observe(const Context& context, const ObserveOptions& options, const Filters& given)
{
    auto filters = complete(given, context);
    if (!filters)
        return std::unexpected(filters.error());
    auto path = request_path(options, *filters);
    if (!path)
        return std::unexpected(path.error());
    RowPrinter printer(context.terminal.out, context.style, event_line);
    std::mutex printing;
    auto finish = [&] {
        std::scoped_lock lock(printing);
        printer.end();
        context.terminal.out.flush();
    };
    StreamEnd end(context.terminal.fd, finish);
    auto streamed = context.sources.stream(context.socket(), *path, [&](std::string_view line) {
        Json event = Json::parse(line, nullptr, false);
        std::scoped_lock lock(printing);
        if (event.is_object())
            printer.row(event);
        return static_cast<bool>(context.terminal.out.flush());
    });
    if (!streamed)
        return fail("observe", streamed.error());
    finish();
    if (options.follow && context.terminal.out)
        return fail(ECONNREFUSED, "the agent has ended the stream");
    return Exit::ok;
}

} // namespace

Action define_observe(CLI::App& app)
{
    auto options = std::make_shared<ObserveOptions>();
    app.add_flag("-f,--follow", options->follow, "Go on with events as they come");
    app.add_option("--last", options->last, "Only the last N of the recorded events")
        ->type_name("N");
    app.add_option("--since", options->since, "Only events of the last 30s, 5m, 1h …")
        ->type_name("DURATION");
    auto filters = add_filters(app, true);
    return [=](const Context& context) { return observe(context, *options, *filters); };
}

} // namespace ebpfd::ctl
