// SPDX-License-Identifier: Apache-2.0
#include "ebpfctl/trace.h"

#include "ebpfctl/rule_view.h"
#include "model/names.h"

#include <array>
#include <fmt/format.h>
#include <netinet/in.h>

namespace ebpfd::ctl {
namespace {

// The pair that the connection would use: the first of one family.
Result<std::pair<IpAddress, IpAddress>> pick_addresses(const TraceSide& from, const TraceSide& to)
{
    for (const IpAddress& source : from.addresses)
        for (const IpAddress& destination : to.addresses)
            if (source.is_v4() == destination.is_v4())
                return std::pair(source, destination);
    return fail(0, "the two sides have no addresses of one family");
}

Json side_fields(const TraceSide& side, const IpAddress& address)
{
    Json fields = name_fields(side.name);
    fields["ip"] = address.text();
    return fields;
}

Result<Json> ask(const PinnedMaps& maps, const Rules& rules, const TraceSide& asked,
                 const TraceQuestion& question)
{
    auto answer = maps.trace(question);
    if (!answer)
        return fail(fmt::format("trace {} of {}", direction_name(question.dir), asked.name.text()),
                    answer.error());
    Json step = {{"direction", direction_name(question.dir)}};
    step.update(name_fields(asked.name));
    step["verdict"] = verdict_name(answer->outcome);
    step["reason"] = reason_name(answer->why);
    step.update(rule_fields(rules, answer->rule));
    step["enforced"] = enforced_rule(rules, answer->enforced_rule);
    step["ruleset"] = ruleset_text(answer->ruleset);
    step["peer_identity"] = answer->identity;
    return step;
}

// What becomes of it if each side has its say. One that would allow it does not help where another
// one denies; where all others allow it, in force or in a dry run, it would pass.
std::string_view overall(const Json& steps)
{
    constexpr std::array worst_first{VERDICT_DENY, VERDICT_WOULD_ALLOW, VERDICT_WOULD_DENY};
    for (const verdict one : worst_first)
        for (const Json& step : steps)
            if (step["verdict"] == verdict_name(one))
                return verdict_name(one);
    return verdict_name(VERDICT_ALLOW);
}

Result<Json> ask_local_sides(const PinnedMaps& maps, const TraceSide& from, const TraceSide& to,
                             TraceQuestion question)
{
    auto rules = maps.rules();
    if (!rules)
        return std::unexpected(rules.error());
    Json steps = Json::array();
    for (direction dir : {DIRECTION_EGRESS, DIRECTION_INGRESS}) {
        const TraceSide& side = dir == DIRECTION_EGRESS ? from : to;
        if (!side.ifindex)
            continue;
        question.ifindex = *side.ifindex;
        question.dir = dir;
        auto step = ask(maps, *rules, side, question);
        if (!step)
            return std::unexpected(step.error());
        steps.push_back(*step);
    }
    if (steps.empty())
        return fail(ENOENT, "neither side is a pod of this node: nothing here judges it");
    return steps;
}

} // namespace

Result<Json> judge(const PinnedMaps& maps, const TraceSide& from, const TraceSide& to,
                   TracePort port)
{
    auto addresses = pick_addresses(from, to);
    if (!addresses)
        return std::unexpected(addresses.error());
    const auto& [source, destination] = *addresses;
    if (port.protocol == IPPROTO_ICMP && !source.is_v4())
        port.protocol = IPPROTO_ICMPV6;
    TraceQuestion question{.source = source,
                           .destination = destination,
                           .protocol = port.protocol,
                           .port = port.number};
    auto steps = ask_local_sides(maps, from, to, question);
    if (!steps)
        return std::unexpected(steps.error());
    return Json{{"verdict", overall(*steps)},
                {"from", side_fields(from, source)},
                {"to", side_fields(to, destination)},
                {"port", port.number},
                {"protocol", protocol_name(port.protocol)},
                {"steps", *steps}};
}

} // namespace ebpfd::ctl
