// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ebpfctl/local_endpoint.h"

#include <optional>

namespace ebpfd::ctl {

// One end of the connection that is asked about.
struct TraceSide {
    ObjectName name; // empty for an address of no known pod
    std::vector<IpAddress> addresses;
    std::optional<uint32_t> ifindex; // of a local pod
};

struct TracePort {
    uint8_t protocol = 0; // an IP protocol number; ICMP stands for ICMPv6 too
    uint16_t number = 0;  // host byte order
};

// "80/tcp", "80" for TCP, "icmp".
Result<TracePort> parse_trace_port(const std::string& text);

// An address, a local pod, or one that the agent knows. ENOENT if nobody has it.
Result<TraceSide> resolve_side(const Context& context, const std::vector<LocalEndpoint>& locals,
                               const std::string& text);

// The loaded program's judgement of every side that is local, and of all together:
// {"verdict","from","to","port","protocol","steps":[…]}. ENOENT if neither side is local.
Result<Json> judge(const PinnedMaps& maps, const TraceSide& from, const TraceSide& to,
                   TracePort port);

} // namespace ebpfd::ctl
