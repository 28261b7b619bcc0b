// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ebpfd/event.h"
#include "ebpfd/verdict.h"

#include <cstdint>
#include <string>
#include <string_view>

// The words for the datapath's numbers, the same in tables, JSON and metrics. A number that
// is not known reads "unknown".
namespace ebpfd {

std::string_view verdict_name(uint32_t verdict);     // allow, deny, would-deny
std::string_view reason_name(uint32_t reason);       // no-policy, rule, node …
std::string_view direction_name(uint32_t direction); // ingress, egress
std::string_view event_type_name(uint32_t type);     // flow_open, drop, kernel_drop …
std::string_view flow_state_name(uint32_t state);    // new, established, closing, closed
// "TCP", "UDP", "SCTP", "ICMP", "ICMPv6", else the number.
std::string protocol_name(uint32_t protocol);

} // namespace ebpfd
