// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ebpfd/endpoint.h"
#include "ebpfd/ruleset.h"
#include "kernel/datapath.h"
#include "model/plan.h"
#include "model/world.h"
#include "observe/names.h"

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace ebpfd {

RuleName rule_name(const rule_info& rule);

// Makes the names that records get. Interfaces and rules that are gone keep their names for a
// while: the last records of their connections are still to come. Addresses do not: they may
// belong to another pod by then.
class NameBook {
public:
    // drop_reasons: the running kernel's, by number.
    explicit NameBook(const std::map<uint32_t, std::string>& drop_reasons = {});
    // For records from before the first update(): what an earlier agent left in force.
    using Endpoints = std::vector<std::pair<uint32_t, endpoint_name>>; // by ifindex
    std::shared_ptr<const Names> adopt(const Endpoints& endpoints, const RuleInfos& rules);
    // rules: as the kernel's map has them. The names of what did not change are the same objects
    // as before.
    std::shared_ptr<const Names> update(const World& world, const Plan& plan,
                                        const RuleInfos& rules);

private:
    void name_interfaces(const World& world, const Plan& plan, Names& names);
    void name_addresses(const World& world, Names& names);
    void name_rules(const RuleInfos& rules, Names& names);

    // What the names were made of.
    SharedList<std::shared_ptr<const Pod>> pods_;
    std::unordered_map<uint32_t, std::shared_ptr<const PlanEndpoint>> endpoints_; // by ifindex
    std::unordered_map<uint32_t, std::shared_ptr<const rule_info>> rules_;        // by number
    std::shared_ptr<const Names> names_;
    bool adopted_ = false;                // nothing is newer
    std::deque<uint32_t> old_interfaces_; // oldest first
    std::deque<uint32_t> old_rules_;
};

} // namespace ebpfd
