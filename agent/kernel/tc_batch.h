// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/fd.h"
#include "base/result.h"
#include "kernel/hook.h"

#include <array>
#include <cstdint>

namespace ebpfd {

// What became of each step: an errno, 0 where it was done.
struct TcOutcome {
    int qdisc = 0;
    std::array<int, HOOKS.size()> filters{}; // in the order of HOOKS
};

// Adds the clsact qdisc, and then the program as the first filter of each hook, in one request: who
// waits for the network lock mostly gets it after the last step. Each step is tried, whatever
// became of the one before; EEXIST where there is a qdisc or such a filter already, which stays,
// and EINVAL where the first filter is of another kind.
Result<TcOutcome> add_qdisc_and_filters(uint32_t ifindex, const Fd& program);

// Whether the qdisc that is there is a clsact; an error where there is none.
Result<bool> has_clsact(uint32_t ifindex);

} // namespace ebpfd
