// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/result.h"
#include "kernel/pins.h"

#include <bpf/libbpf.h>
#include <cstdint>
#include <string>

// What an earlier agent left pinned, and whether this one can go on with it.
namespace ebpfd {

// The layout of the maps that are there: this agent's, or one that it converts. 0: nothing is, or
// what an interrupted first start left, which is removed. An error if they are of another one.
Result<uint32_t> check_pinned_layout(const Pins& pins);

// Gives the map that is about to be loaded the capacity of the pinned one, if there is one, with a
// warning if that differs. False: that layout had it in another shape, from which it is converted.
// An error if they differ otherwise.
Result<bool> adapt_to_pinned(bpf_map* map, const std::string& path, uint32_t layout);

} // namespace ebpfd
