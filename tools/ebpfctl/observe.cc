// SPDX-License-Identifier: Apache-2.0
#include "api/client.h"
#include "base/rfc3339.h"
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
    std::string until;
};

// "&since=60" of a duration that ends now, "&since=2026-…" of a moment.
Result<std::string> time_query(const char* name, const std::string& text)
{
    if (text.empty())
        return "";
    if (parse_rfc3339(text))
        return fmt::format("&{}={}", name, url_encode(text));
    const auto ago = parse_duration(text);
    if (!ago)
        return fail(EINVAL,
                    fmt::format("--{} {}: say 30s, 5m, 1h or 2026-01-31T23:59:00Z", name, text));
    return fmt::format("&{}={}", name, std::chrono::duration<double>(*ago).count());
}

Result<std::string> request_path(const ObserveOptions& options, const Filters& filters)
{
    auto since = time_query("since", options.since);
    if (!since)
        return since;
    auto until = time_query("until", options.until);
    if (!until)
        return until;
    std::string path = fmt::format("/v1/observe?follow={:d}", options.follow);
    if (options.last)
        path += fmt::format("&last={}", *options.last);
    return path + *since + *until + query_of(filters);
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
    app.add_option("--since", options->since,
                   "Only events since 30s, 5m, 1h … ago, or since a time")
        ->type_name("DURATION|TIME");
    app.add_option("--until", options->until, "Only events until then; not with --follow")
        ->type_name("DURATION|TIME")
        ->excludes("--follow");
    auto filters = add_filters(app, true);
    return [=](const Context& context) { return observe(context, *options, *filters); };
}

} // namespace ebpfd::ctl
