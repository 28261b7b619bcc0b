// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/result.h"
#include "model/world.h"

#include <optional>
#include <string>

namespace ebpfd {

// GET /v1/policy/explain?pod=ns/name: what applies to the pod, tier by tier, and what comes of
// it. Nothing: there is no such pod.
Result<std::optional<std::string>> explain_json(const World& world, const std::string& pod);

} // namespace ebpfd
