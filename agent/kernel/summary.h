// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/result.h"
#include "kernel/pinned.h"

#include <string>
#include <vector>

namespace ebpfd {

// One summary for each map pinned in the folder, by name.
Result<std::vector<MapSummary>> summarize(const std::string& folder);

} // namespace ebpfd
