// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/result.h"
#include "kernel/hook.h"

#include <cstdint>
#include <vector>

namespace ebpfd {

// One tc filter of an interface, whoever put it there.
struct TcFilter {
    uint32_t priority = 0;
    uint32_t handle = 0;
    uint32_t program = 0; // id; 0: not a BPF program
};

// The filters at one hook in order of priority; none where there is no interface or qdisc.
Result<std::vector<TcFilter>> filters_at(uint32_t ifindex, const Hook& hook);

} // namespace ebpfd
