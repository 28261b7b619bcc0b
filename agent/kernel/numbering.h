// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "kernel/applied.h"
#include "model/plan.h"

namespace ebpfd {

// What the maps shall hold for this plan: the same keys keep the numbers that current has for
// them, others get new ones. Nothing is written. Fails if a rule set has too many rules.
Result<Applied> number_plan(const Plan& plan, const Applied& current);
// The same as current, and closed what of these it does not have, or has as another pod's.
Applied with_closed(const Applied& current, const std::vector<PlanEndpoint>& newcomers);

} // namespace ebpfd
