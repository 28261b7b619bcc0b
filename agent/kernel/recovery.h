// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "kernel/applied.h"
#include "model/plan.h"

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace ebpfd {

// After a restart the maps hold numbers whose keys nobody knows. Finds, for the parts of a plan,
// those that say just the same, so that counters go on and what did not change is not written
// again. Each number is found once.
class Recovery {
public:
    // Finds nothing where current knows its parts.
    Recovery(const Plan& plan, const Applied& current);

    std::optional<uint32_t> rule(const rule_info& info);
    // By index into the plan: the number that all of its addresses have, and no other's.
    std::optional<uint32_t> identity(size_t planned) const;
    using RulesetEntry = Numbered<PlanRuleset, RulesetRows>;
    std::optional<RulesetEntry> ruleset(const RulesetRows& rows);

private:
    void recover_identities(const Plan& plan, const Applied& current);

    std::unordered_map<std::string, uint32_t> rules_;
    std::unordered_map<std::string, RulesetEntry> rulesets_;
    std::vector<uint32_t> identities_;
};

} // namespace ebpfd
