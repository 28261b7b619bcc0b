// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/result.h"
#include "model/plan.h"
#include "model/world.h"

namespace ebpfd {

// World to Plan: a pure function, no kernel, no clock, no I/O. Fails, with what is needed
// and what there is, if a rule set would need more than RULES_MAX rules.
Result<Plan> compile(const World& world);

} // namespace ebpfd
