// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ebpfd/ruleset.h"
#include "model/plan.h"
#include "model/world.h"
#include "observe/names.h"

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>

namespace ebpfd {

RuleName rule_name(const rule_info& rule);

// Makes the names that records get. Interfaces and rules that are gone keep their names for a
// while: the last records of their connections are still to come. Addresses do not: they may
// belong to another pod by then.
class NameBook {
public:
    // drop_reasons: the running kernel's, by number.
    explicit NameBook(const std::map<uint32_t, std::string>& drop_reasons = {});
    // rules: by number, as the kernel's map has them.
    std::shared_ptr<const Names> update(const World& world, const Plan& plan,
                                        const std::map<uint32_t, rule_info>& rules);

private:
    std::shared_ptr<const Names> names_;
    std::deque<uint32_t> old_interfaces_; // oldest first
    std::deque<uint32_t> old_rules_;
};

} // namespace ebpfd
