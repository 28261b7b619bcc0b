// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "kernel/applied.h"
#include "model/plan.h"

namespace ebpfd {

// What the maps shall hold for this plan: the same keys keep the numbers that current has for
// them, others get new ones. Nothing is written. Fails if a rule set has too many rules.
Result<Applied> number_plan(const Plan& plan, const Applied& current);

} // namespace ebpfd
