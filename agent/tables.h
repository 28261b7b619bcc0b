// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "config.h"
#include "kernel/pinned.h"
#include "observe/metrics.h"

#include <vector>

// What the kernel's tables say, for the status and the metrics.
namespace ebpfd {

// How full each table is that has an option, or a part in that of another. Walks them all: some
// milliseconds.
Result<std::vector<Usage>> table_usage(const PinnedMaps& maps);

} // namespace ebpfd
