// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "model/plan.h"
#include "policy/rule_bits.h"

#include <vector>

namespace ebpfd {

// Lays the bits, in order of precedence and so of their tiers, at most RULES_MAX, out as a rule
// set.
PlanRuleset build_ruleset(const std::vector<const RuleBit*>& bits);

// The same rule set behind one more rule, before all tiers, that has no peers yet. addresses say
// for whom it is: they become part of the key.
PlanRuleset with_first_rule(const PlanRuleset& base, uint32_t rule,
                            const std::vector<IpAddress>& addresses);

} // namespace ebpfd
