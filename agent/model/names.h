// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ebpfd/event.h"
#include "ebpfd/ruleset.h"
#include "ebpfd/verdict.h"

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

// The words for the datapath's numbers, the same in tables, JSON and metrics. A number that
// is not known reads "unknown".
namespace ebpfd {

std::string_view verdict_name(uint32_t verdict);
// Whether a filter by that name finds the verdict: what is let through goes by "allow" too, and
// what is dropped by "deny".
bool has_verdict_name(uint32_t verdict,
                      std::string_view name);        // allow, deny, would-deny, would-allow
std::string_view reason_name(uint32_t reason);       // no-policy, rule, node …
std::string_view direction_name(uint32_t direction); // ingress, egress
std::string_view action_name(uint32_t action);       // allow, deny, pass
std::string_view mode_name(bool dry_run);            // enforce, dry-run
std::string_view tier_name(uint32_t tier);           // Admin, NetworkPolicy, Baseline
std::string_view event_type_name(uint32_t type);     // flow_open, drop, kernel_drop …
std::string_view flow_state_name(uint32_t state);    // new, established, closing, closed
// Of the kernel's socket: established, syn-sent …; empty for 0, which is none.
std::string_view tcp_state_name(uint32_t state);
// "SYN", "ACK" …, those of the flags that are set.
std::vector<std::string_view> tcp_flag_names(uint32_t flags);
// Who ended a flow that was opened in this direction: source, destination, policy, timeout; empty
// while it lives.
std::string_view closer_name(uint32_t closer, uint32_t direction);
// "TCP", "UDP", "SCTP", "ICMP", "ICMPv6", else the number.
std::string protocol_name(uint32_t protocol);
// TCP, UDP and SCTP; the port fields of ICMP carry the echo identifier.
bool has_ports(uint32_t protocol);
// The text in a field of a map, which ends in NUL or with the field.
template <size_t N> std::string text_of(const char (&field)[N])
{
    return {field, strnlen(field, N)};
}
// A rule's policy, by enum rule_kind: "ns/name", "ns/a,ns/b" where several policies isolate
// (policy: their names, comma-separated), "" for a rule of no policy.
std::string policy_text(uint32_t kind, std::string_view policy_namespace, std::string_view policy);
// "ingress[0]", "isolation" or "self".
std::string rule_text(uint32_t kind, uint32_t direction, uint32_t index);

} // namespace ebpfd
