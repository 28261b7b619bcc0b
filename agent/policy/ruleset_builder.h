// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "model/plan.h"
#include "policy/rule_bits.h"

#include <map>
#include <optional>
#include <vector>

namespace ebpfd {

// Lays the bits, in order of precedence and so of their tiers, at most RULES_MAX, out as a rule
// set.
PlanRuleset build_ruleset(const std::vector<RuleBitPointer>& bits);

// The rules whose peers include the identity.
Bitmap peer_row(const std::vector<RuleBitPointer>& bits, uint32_t identity);
// The rows with these in place of the ones that their identities have; an empty bitmap takes the
// row out. Nothing: they are the same.
std::optional<std::vector<PlanPeer>> exchange_rows(const std::vector<PlanPeer>& rows,
                                                   const std::map<uint32_t, Bitmap>& changes);

// The same rule set behind one more rule, before all tiers, that has no peers yet. addresses say
// for whom it is: they become part of the key.
PlanRuleset with_first_rule(const PlanRuleset& base, uint32_t rule,
                            const std::vector<IpAddress>& addresses);

} // namespace ebpfd
