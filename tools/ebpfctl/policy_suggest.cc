// SPDX-License-Identifier: Apache-2.0
#include "api/client.h"
#include "ebpfctl/cell.h"
#include "ebpfctl/command.h"

#include <algorithm>
#include <cerrno>

namespace ebpfd::ctl {
namespace {

struct SuggestOptions {
    std::string workload;
    bool isolate = false;
};

constexpr milliseconds TIMEOUT{60'000};

std::string path_of(const Context& context, const SuggestOptions& options)
{
    std::string path = std::string("/v1/policy/suggest?isolate=") + (options.isolate ? "1" : "0");
    if (!context.options.all_namespaces && !context.options.in_namespace.empty())
        path += "&namespace=" + url_encode(context.options.in_namespace);
    if (!options.workload.empty())
        path += "&workload=" + url_encode(options.workload);
    return path;
}

// What goes into a file goes there unchanged: it must be harmless as it is.
bool is_plain(std::string_view text)
{
    return std::ranges::all_of(text, [](char c) { return c == '\n' || (c >= ' ' && c <= '~'); });
}

Result<Exit> suggest(const Context& context, const SuggestOptions& options)
{
    const auto answer = context.get(path_of(context, options), TIMEOUT);
    if (!answer)
        return fail("policy suggest", answer.error());
    if (context.style.format != Format::table && context.style.format != Format::wide)
        return context.print({*answer, {}});
    const std::string yaml = string_at(*answer, "/yaml");
    if (!is_plain(yaml))
        return fail(EIO, "policy suggest: the agent's answer is no plain text");
    if (yaml.empty())
        context.note("nothing was seen that a policy could be made from");
    context.terminal.out << yaml;
    return Exit::ok;
}

} // namespace

Action define_policy_suggest(CLI::App& app)
{
    auto options = std::make_shared<SuggestOptions>();
    app.add_option("--workload", options->workload, "Only for this workload")->type_name("NAME");
    app.add_flag("--isolate", options->isolate,
                 "Close directions, and pods, of which nothing was seen");
    return [options](const Context& context) { return suggest(context, *options); };
}

} // namespace ebpfd::ctl
