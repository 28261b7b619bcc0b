// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/result.h"
#include "policy/rule_bits.h"
#include "policy/services.h"
#include "policy/subjects.h"

#include <map>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

namespace ebpfd {

// The rule sets that subjects need: each one is built once, and equal ones are one.
class RulesetPool {
public:
    // In the plan, services are the identities behind those of pods, in their order.
    RulesetPool(const World& world, RuleBits& bits, const Identities& identities,
                const std::vector<ServicePoint>& services);

    // The index of the subject's rule set in what take() returns, or PLAN_RULESET_NONE.
    Result<uint32_t> find(const Subject& subject, direction dir);
    // The subject's rule set, which nothing is kept of; without what lets a pod reach itself
    // through a service.
    Result<PlanRuleset> build(const Subject& subject, direction dir);
    // The rule sets that find() has named.
    std::vector<PlanRuleset> take();

private:
    using Recipe = std::tuple<direction, std::vector<const NetworkPolicy*>,
                              std::vector<const ClusterPolicy*>, std::vector<NamedPort>>;

    std::vector<const RuleBit*> collect(const Subject& subject, direction dir);
    // The bits of all rules of one policy: a source without its index.
    void append(const Subject& subject, RuleSource source, size_t rules,
                std::vector<const RuleBit*>& bits);
    void append_tier(const Subject& subject, direction dir, tier in_tier,
                     std::vector<const RuleBit*>& bits);
    Result<uint32_t> base(const Subject& subject, direction dir);
    Result<uint32_t> with_self(const Subject& subject, uint32_t base_number);
    void add_service_rows(PlanRuleset& ruleset) const;
    std::vector<PlanPeer> service_rows(const PlanRuleset& ruleset, bool rehearsed) const;
    std::set<uint32_t> loops(const std::vector<IpAddress>& own) const;
    uint32_t keep(PlanRuleset ruleset);
    uint32_t publish(uint32_t number);

    const World& world_;
    RuleBits& bits_;
    const Identities& identities_;
    const std::vector<ServicePoint>& services_;
    std::unordered_map<IpAddress, std::vector<uint32_t>> services_of_; // by backend
    std::map<Recipe, uint32_t> recipes_;
    std::vector<PlanRuleset> rulesets_;
    std::unordered_map<std::string, uint32_t> numbers_;
    std::unordered_map<uint32_t, uint32_t> published_;
    std::vector<uint32_t> order_; // of publication
};

} // namespace ebpfd
