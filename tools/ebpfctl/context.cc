// SPDX-License-Identifier: Apache-2.0
#include "ebpfctl/context.h"

#include "base/escape.h"

#include <fmt/format.h>

namespace ebpfd::ctl {
namespace {

Result<Json> parse_answer(Result<std::string> body)
{
    if (!body)
        return std::unexpected(std::move(body.error()));
    Json json = Json::parse(*body, nullptr, false);
    if (json.is_discarded())
        return fail(EIO, "the agent's answer is no JSON");
    return json;
}

} // namespace

Result<std::unique_ptr<PinnedMaps>> Context::maps() const
{
    auto maps = sources.open_maps(options.bpffs);
    if (!maps && maps.error().code == ENOENT)
        return fail(ECONNREFUSED,
                    fmt::format("nothing is pinned below {}: is ebpfd running?", options.bpffs));
    return maps;
}

Result<Json> Context::get(const std::string& path, milliseconds timeout) const
{
    return parse_answer(sources.get(socket(), path, timeout));
}

Result<Json> Context::post(const std::string& path, const Json& body, milliseconds timeout) const
{
    const std::string text = body.is_null() ? "" : body.dump();
    return parse_answer(sources.post(socket(), path, text, timeout));
}

bool Context::shows(std::string_view name) const
{
    return options.all_namespaces || options.in_namespace.empty() || name == options.in_namespace;
}

Result<ObjectName> Context::full_name(const std::string& text) const
{
    size_t slash = text.find('/');
    ObjectName name{options.in_namespace, text};
    if (slash != std::string::npos)
        name = {text.substr(0, slash), text.substr(slash + 1)};
    bool nested = name.name.find('/') != std::string::npos;
    if (name.in_namespace.empty() || name.name.empty() || nested)
        return fail(
            EINVAL,
            fmt::format(
                "\"{}\": say NAMESPACE/NAME, or NAME with -n (KIND/NAME of a cluster-wide policy)",
                text));
    return name;
}

Exit Context::print(const Report& report, Exit code) const
{
    ctl::print(terminal.out, style, report);
    return code;
}

void Context::say(std::string_view text) const
{
    terminal.err << escape_control(text) << "\n";
}

void Context::note(std::string_view text) const
{
    terminal.err << "ebpfctl: " << escape_control(text) << "\n";
}

} // namespace ebpfd::ctl
