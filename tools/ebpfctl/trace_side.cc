// SPDX-License-Identifier: Apache-2.0
#include "ebpfctl/cell.h"
#include "ebpfctl/trace.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <fmt/format.h>
#include <netinet/in.h>

namespace ebpfd::ctl {
namespace {

TraceSide local_side(const LocalEndpoint& local)
{
    return {local.name, local.addresses, local.ifindex};
}

TraceSide side_of_address(const std::vector<LocalEndpoint>& locals, const IpAddress& address)
{
    for (const LocalEndpoint& local : locals)
        if (std::ranges::find(local.addresses, address) != local.addresses.end())
            return {local.name, {address}, local.ifindex};
    return {{}, {address}, std::nullopt};
}

TraceSide remote_side(const ObjectName& name, const Json& pod)
{
    TraceSide side{name, {}, std::nullopt};
    for (const Json& text : member(pod, "/addresses"))
        if (auto address = IpAddress::parse(value_text(text)))
            side.addresses.push_back(*address);
    return side;
}

Result<TraceSide> ask_agent(const Context& context, const ObjectName& name)
{
    auto pods = context.get("/v1/pods");
    if (!pods)
        return fail(
            fmt::format("pod {} is not on this node, and the agent cannot be asked for others",
                        name.text()),
            pods.error());
    for (const Json& pod : *pods)
        if (string_at(pod, "/namespace") == name.in_namespace &&
            string_at(pod, "/name") == name.name)
            return remote_side(name, pod);
    return fail(ENOENT, fmt::format("pod {} is not known", name.text()));
}

std::optional<uint8_t> protocol_number(std::string_view suffix)
{
    constexpr std::pair<std::string_view, uint8_t> PROTOCOLS[] = {
        {"/tcp", IPPROTO_TCP}, {"/udp", IPPROTO_UDP}, {"/sctp", IPPROTO_SCTP}};
    for (const auto& [known, number] : PROTOCOLS)
        if (suffix == known)
            return number;
    return std::nullopt;
}

} // namespace

Result<TracePort> parse_trace_port(const std::string& text)
{
    std::string lower = text;
    std::ranges::transform(lower, lower.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (lower == "icmp")
        return TracePort{IPPROTO_ICMP, 0};
    TracePort port{IPPROTO_TCP, 0};
    auto [end, error] = std::from_chars(lower.data(), lower.data() + lower.size(), port.number);
    std::string_view rest(end, lower.data() + lower.size());
    auto protocol = protocol_number(rest.empty() ? "/tcp" : rest);
    if (error != std::errc{} || port.number == 0 || !protocol)
        return fail(EINVAL, fmt::format("--port {}: say 80/tcp, 53/udp, 36412/sctp or icmp", text));
    port.protocol = *protocol;
    return port;
}

Result<TraceSide> resolve_side(const Context& context, const std::vector<LocalEndpoint>& locals,
                               const std::string& text)
{
    if (auto address = IpAddress::parse(text))
        return side_of_address(locals, *address);
    auto name = context.full_name(text);
    if (!name)
        return std::unexpected(name.error());
    auto local = std::ranges::find(locals, *name, &LocalEndpoint::name);
    if (local != locals.end())
        return local_side(*local);
    return ask_agent(context, *name);
}

} // namespace ebpfd::ctl
