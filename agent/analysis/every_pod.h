// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "policy/identities.h"
#include "policy/rule_bits.h"
#include "policy/ruleset_pool.h"
#include "policy/services.h"
#include "policy/subjects.h"

#include <string>
#include <vector>

namespace ebpfd {

// Pods for which the same rules hold in one direction.
struct PodGroup {
    const Subject* subject = nullptr; // any of them
    direction dir = DIRECTION_INGRESS;
    size_t pods = 0;
    size_t local_pods = 0;
};

// A world in which policies apply to every pod of the inventory, on whatever node it runs: what
// its own node's agent makes of it. Pods of the host network have no policy, and finished ones only
// while they keep an interface on this node.
// Only what is asked for is compiled, as all of it may be far more than one node's share.
class EveryPod {
public:
    explicit EveryPod(const World& world);
    EveryPod(const EveryPod&) = delete;
    EveryPod& operator=(const EveryPod&) = delete;

    const World& world() const { return world_; }
    const std::vector<Subject>& subjects() const { return subjects_; }
    bool is_local(const Pod& pod) const { return local_.contains(pod.key()); }
    // Those that any policy applies to; groups with local pods first.
    std::vector<PodGroup> groups() const;

    // Without what lets a pod reach itself through a service.
    Result<PlanRuleset> ruleset(const Subject& subject, direction dir);
    // What the bits of rule sets refer to.
    const PlanRule& rule(const PlanBit& bit) const { return bits_.rules()[bit.rule]; }
    Identities& identities() { return identities_; }

private:
    World world_;
    std::set<std::string> local_;
    Identities identities_;
    std::vector<std::string> warnings_; // the compiler gives them already
    std::vector<ServicePoint> services_;
    RuleBits bits_;
    RulesetPool rulesets_;
    std::vector<Subject> subjects_;
};

} // namespace ebpfd
