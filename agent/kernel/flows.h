// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ebpfd/event.h"
#include "kernel/maps.h"

#include <cstdint>
#include <functional>
#include <set>

namespace ebpfd {

// Removes all flows of these interfaces, and what was refused there. Returns how many flows.
Result<size_t> remove_flows(const Maps& maps, const std::set<uint32_t>& interfaces);

// Which flows are to go, and which have still to report their end.
struct Sweep {
    uint64_t now_ns = 0;
    std::function<bool(uint32_t ifindex)> has_endpoint;
    std::function<void(const event&)> closed;
};

// Removes flows that are closed, idle for too long or without an endpoint, and refusals that nobody
// repeats. Returns how many flows.
Result<size_t> sweep_flows(const Maps& maps, const Sweep& sweep);

// How long a flow may be idle, in nanoseconds; a crowded table keeps closed ones for less long.
uint64_t idle_limit_ns(const flow_key& key, const flow& value, bool crowded);

} // namespace ebpfd
