// SPDX-License-Identifier: Apache-2.0
#include "model/names.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <netinet/in.h>

namespace ebpfd {
namespace {

template <size_t N>
std::string_view pick(const std::array<std::string_view, N>& names, uint32_t number)
{
    return number < N && !names[number].empty() ? names[number] : "unknown";
}

constexpr std::array<std::string_view, VERDICT_COUNT> verdicts{"allow", "deny", "would-deny",
                                                               "would-allow"};
constexpr std::array<std::string_view, REASON_COUNT> reasons{
    "no-policy", "rule",   "node",        "self",     "neighbor",  "icmp-error", "",
    "",          "denied", "unknown-pod", "fragment", "malformed", "not-ip",     "source-routed",
    "spoofed",   ""};
constexpr std::array<std::string_view, 2> directions{"ingress", "egress"};
constexpr std::array<std::string_view, 3> actions{"allow", "deny", "pass"};
constexpr std::array<std::string_view, TIER_COUNT> tiers{"Admin", "NetworkPolicy", "Baseline"};
constexpr std::array<std::string_view, EVENT_TYPE_COUNT> types{
    "",           "flow_open",      "flow_update",    "flow_close",
    "drop",       "tcp_retransmit", "tcp_reset_sent", "tcp_reset_received",
    "kernel_drop"};
constexpr std::array<std::string_view, 4> states{"new", "established", "closing", "closed"};

constexpr std::array<std::string_view, 13> tcp_states{
    "",      "established", "syn-sent", "syn-received", "fin-wait-1", "fin-wait-2",  "time-wait",
    "close", "close-wait",  "last-ack", "listen",       "closing",    "syn-received"};
constexpr std::array<std::string_view, 8> tcp_flags{"FIN", "SYN", "RST", "PSH",
                                                    "ACK", "URG", "ECE", "CWR"};

} // namespace

std::string_view verdict_name(uint32_t verdict)
{
    return pick(verdicts, verdict);
}

bool has_verdict_name(uint32_t verdict, std::string_view name)
{
    return verdict_name(verdict) == name ||
           name == verdict_name(is_refused(verdict) ? VERDICT_DENY : VERDICT_ALLOW);
}

std::string_view reason_name(uint32_t reason)
{
    return pick(reasons, reason);
}

std::string_view direction_name(uint32_t direction)
{
    return pick(directions, direction);
}

std::string_view action_name(uint32_t action)
{
    return pick(actions, action);
}

std::string_view mode_name(bool dry_run)
{
    return dry_run ? "dry-run" : "enforce";
}

std::string_view tier_name(uint32_t tier)
{
    return pick(tiers, tier);
}

std::string_view event_type_name(uint32_t type)
{
    return pick(types, type);
}

std::string_view flow_state_name(uint32_t state)
{
    return pick(states, state);
}

std::string_view tcp_state_name(uint32_t state)
{
    return state == 0 ? "" : pick(tcp_states, state);
}

std::vector<std::string_view> tcp_flag_names(uint32_t flags)
{
    std::vector<std::string_view> out;
    for (size_t bit = 0; bit < tcp_flags.size(); bit++)
        if ((flags >> bit) & 1)
            out.push_back(tcp_flags[bit]);
    return out;
}

std::string_view closer_name(uint32_t closer, uint32_t direction)
{
    const bool by_pod = closer == CLOSER_POD;
    switch (closer) {
    case CLOSER_POD:
    case CLOSER_PEER:
        return by_pod == (direction == DIRECTION_EGRESS) ? "source" : "destination";
    case CLOSER_POLICY:
        return "policy";
    case CLOSER_TIMEOUT:
        return "timeout";
    default:
        return "";
    }
}

bool has_ports(uint32_t protocol)
{
    return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP;
}

std::string protocol_name(uint32_t protocol)
{
    switch (protocol) {
    case IPPROTO_TCP:
        return "TCP";
    case IPPROTO_UDP:
        return "UDP";
    case IPPROTO_SCTP:
        return "SCTP";
    case IPPROTO_ICMP:
        return "ICMP";
    case IPPROTO_ICMPV6:
        return "ICMPv6";
    default:
        return fmt::format("{}", protocol);
    }
}

std::string policy_text(uint32_t kind, std::string_view policy_namespace, std::string_view policy)
{
    std::string out;
    if (kind == RULE_SELF)
        return out;
    for (size_t start = 0; start <= policy.size();) {
        const size_t end = std::min(policy.find(',', start), policy.size());
        out += fmt::format("{}{}/{}", start > 0 ? "," : "", policy_namespace,
                           policy.substr(start, end - start));
        start = end + 1;
    }
    return out;
}

std::string rule_text(uint32_t kind, uint32_t direction, uint32_t index)
{
    if (kind == RULE_SELF)
        return "self";
    return kind == RULE_ISOLATION ? "isolation"
                                  : fmt::format("{}[{}]", direction_name(direction), index);
}

} // namespace ebpfd
