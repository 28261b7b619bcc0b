// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/result.h"
#include "kernel/pins.h"

#include <bpf/libbpf.h>
#include <string>

// What an earlier agent left pinned, and whether this one can go on with it.
namespace ebpfd {

// True: maps of this layout are there. False: nothing is, or what an interrupted first start
// left, which is removed. An error if they are of another layout.
Result<bool> check_pinned_layout(const Pins& pins);

// Gives the map that is about to be loaded the capacity of the pinned one, if there is one,
// with a warning if that differs. An error if they differ in anything else.
Result<void> adapt_to_pinned(bpf_map* map, const std::string& path);

} // namespace ebpfd
