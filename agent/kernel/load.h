// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/result.h"
#include "ebpfd/state.h" // before the skeleton, which holds one
#include "kernel/datapath.h"
#include "kernel/hook.h"
#include "kernel/pins.h"

namespace ebpfd {

// Loads the programs. Maps that are pinned are adopted, the others made and pinned; the
// programs are pinned beside those in force, as NAME-next.
Result<Programs> load_programs(const DatapathOptions& options, const Pins& pins);
// Makes the programs that load_programs pinned the ones in force.
Result<void> commit_programs(const Pins& pins);

} // namespace ebpfd
