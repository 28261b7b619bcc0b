// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "model/plan.h"
#include "reference/judge.h"

#include <string>

namespace property {

// What each side says about a packet, in one form.
struct Verdict {
    bool allow = true;
    reason why = REASON_NO_POLICY;
    std::string rule; // "default/db ingress[0]", "isolation default/a,b egress", or ""
    // Where a dry run ends otherwise, why and rule are of that: VERDICT_WOULD_DENY or _ALLOW.
    bool turned = false;
    std::string enforced_rule = {}; // then, what decided in force
    bool operator==(const Verdict&) const = default;
};

Verdict of_reference(const ebpfd::World& world, const reference::Packet& packet);

// Classifies by the plan alone, as the maps that hold it would.
Verdict of_plan(const ebpfd::Plan& plan, const reference::Packet& packet);

// The name of a rule that decided.
std::string rule_name(uint32_t kind, uint32_t dir, const std::string& policy_namespace,
                      const std::string& policy, uint32_t index);

std::string describe(const Verdict& verdict);

} // namespace property
