// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "kernel/applied.h"
#include "model/plan.h"

#include <map>
#include <memory>
#include <vector>

namespace ebpfd {

// A planned rule set and what the places of the plan stand for that it refers to.
struct NumberedRuleset {
    const PlanRuleset& planned;
    const NumberedList<PlanRule, rule_info>& rules;
    const NumberedList<PlanIdentity, NoRow>& identities;
};

// Equal bitmaps as one.
class SharedBitmaps {
public:
    std::shared_ptr<const bitmap> share(const bitmap& rules);

private:
    std::map<bitmap, std::shared_ptr<const bitmap>, ByBytes> known_;
};

// The rows of a rule set that is not in the maps yet.
std::shared_ptr<RulesetRows> make_rows(const NumberedRuleset& numbered, uint32_t number);

// The rows of one that is: known itself if nothing differs, a copy with other peers if some
// came or went, nullptr if any row would have to change under the packets' feet.
std::shared_ptr<RulesetRows> extend_rows(const std::shared_ptr<RulesetRows>& known,
                                         const NumberedRuleset& numbered);

// The value for ruleset_map, and back.
ruleset ruleset_of(const RulesetRows& rows);
std::string header_of(const ruleset& value);

} // namespace ebpfd
