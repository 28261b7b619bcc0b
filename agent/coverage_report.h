// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/result.h"
#include "kernel/pinned.h"
#include "model/world.h"

#include <string>

namespace ebpfd {

// GET /v1/policy/coverage: each rule of the world in force, whether it can decide, and what the
// datapath has counted for it.
Result<std::string> coverage_json(const World& world, const PinnedMaps& maps);

} // namespace ebpfd
