// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/result.h"
#include "policy/rule_bits.h"
#include "policy/services.h"
#include "policy/subjects.h"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

namespace ebpfd {

// A rule set that subjects have, as it is by now.
struct Ruleset {
    std::shared_ptr<const PlanRuleset> planned;
    uint32_t place = 0; // in the plan
    direction dir = DIRECTION_INGRESS;
    bool resolves = false; // it has names of ports that its peers resolve
    std::vector<RuleBitPointer> bits;
    // Of one that begins with a rule for its own pod: that rule, and the one without it.
    std::shared_ptr<const uint32_t> self;
    std::shared_ptr<Ruleset> base;
};

// The rule sets that subjects need: each one is built once, and equal ones are one. It lasts, and
// keeps its place, as long as any subject has it.
class RulesetPool {
public:
    // services: numbered behind the pods' identities.
    RulesetPool(const World& world, RuleBits& bits, const Identities& identities,
                const std::vector<ServicePoint>& services);

    // nullptr: no policy selects the subject.
    Result<std::shared_ptr<const Ruleset>> find(const Subject& subject, direction dir);
    // The subject's rule set, which nothing is kept of; without what lets a pod reach itself
    // through a service.
    Result<PlanRuleset> build(const Subject& subject, direction dir);

    // Makes the rows those of changed identities. Rule sets that resolve names, and after a change
    // of services or addresses all of egress, are to be found anew.
    void follow(const IdentityChanges& identities, const ServiceChanges& services);
    // Forgets what no subject has any more.
    void sweep();

private:
    using Recipe = std::tuple<direction, NetworkPolicies, ClusterPolicies, std::vector<NamedPort>>;
    struct Rules {
        std::vector<RuleBitPointer> bits;
        bool resolve = false;
    };
    using RulesetPointer = std::shared_ptr<Ruleset>;

    Rules collect(const Subject& subject, direction dir);
    // The bits of all rules of one policy: a source without its index.
    void append(const Subject& subject, RuleSource source, size_t count, Rules& rules);
    void append_tier(const Subject& subject, direction dir, tier in_tier, Rules& rules);
    Result<Ruleset> make(const Subject& subject, direction dir);
    Result<RulesetPointer> base(const Subject& subject, direction dir);
    Result<RulesetPointer> with_self(const Subject& subject, RulesetPointer base);
    void forget_others(const Recipe& recipe, const RulesetPointer& ruleset);
    void add_service_rows(PlanRuleset& ruleset) const;
    std::vector<PlanPeer> service_rows(const PlanRuleset& ruleset, bool rehearsed) const;
    void follow(const IdentityChanges& changes, Ruleset& ruleset) const;
    void follow(const ServiceChanges& changes, Ruleset& ruleset) const;
    std::map<uint32_t, Bitmap> changed_services(const ServiceChanges& changes,
                                                const PlanRuleset& ruleset, bool rehearsed) const;
    void index_services();
    std::set<uint32_t> loops(const std::vector<IpAddress>& own) const;
    RulesetPointer keep(Ruleset ruleset);
    uint32_t take_place();

    const World& world_;
    RuleBits& bits_;
    const Identities& identities_;
    const std::vector<ServicePoint>& services_;
    std::unordered_map<IpAddress, std::vector<uint32_t>> services_of_; // identities, by backend
    // Those that subjects have: several recipes may come to one rule set.
    std::map<Recipe, std::weak_ptr<Ruleset>> recipes_;
    std::unordered_multimap<size_t, std::weak_ptr<Ruleset>> by_key_; // by the key's hash
    std::vector<std::weak_ptr<Ruleset>> places_;
};

} // namespace ebpfd
