// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/result.h"
#include "ebpfd/state.h" // before the skeleton, which holds one
#include "kernel/datapath.h"
#include "kernel/hook.h"
#include "kernel/pins.h"

namespace ebpfd {

// Loads the programs. Maps that are pinned are adopted, the others made and pinned; those that the
// earlier agent's layout (0: there was none) had in another shape, and the programs, are pinned
// beside what is in force, under Pins::NEXT.
Result<Programs> load_programs(const DatapathOptions& options, const Pins& pins, uint32_t layout);

} // namespace ebpfd
