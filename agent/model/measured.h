// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ebpfd/flow.h"

#include <array>
#include <cstdint>
#include <string>

// What is measured of the datapath at one moment: plain data between kernel and observe.
namespace ebpfd {

// How often a program ran and for how long, while the kernel counted that
// (kernel.bpf_stats_enabled); else both stand still.
struct ProgramRuns {
    std::string program;
    uint64_t runs = 0;
    uint64_t nanoseconds = 0;
};

struct RingFill {
    std::string ring; // "refusals", "flows"
    uint64_t size_bytes = 0;
    uint64_t pending_bytes = 0; // written, and not read yet
};

// Open connections by enum flow_state.
struct FlowCounts {
    static constexpr size_t states = FLOW_CLOSED + 1;
    std::array<uint64_t, states> flows{};   // whose peer has answered
    std::array<uint64_t, states> pending{}; // that wait for it
};

} // namespace ebpfd
