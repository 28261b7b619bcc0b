// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ebpfd/verdict.h"
#include "model/world.h"
#include "policy/identities.h"

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace ebpfd {

// Whoever tells policies, or their rules, by their addresses has a part in them: as long as it
// does, no other lies there.
using NetworkPolicyPointer = std::shared_ptr<const NetworkPolicy>;
using ClusterPolicyPointer = std::shared_ptr<const ClusterPolicy>;
using NetworkPolicies = std::vector<NetworkPolicyPointer>;
using ClusterPolicies = std::vector<ClusterPolicyPointer>;

// A local interface and the policies for its pod, by direction.
struct Subject {
    const LocalInterface* local = nullptr;
    // Those that isolate it, in the order of their keys.
    std::array<NetworkPolicies, DIRECTION_COUNT> policies{};
    // Those with rules for it, in the order of tier, priority and name; the Baseline tier is
    // left out where NetworkPolicies in force isolate: they are final.
    std::array<ClusterPolicies, DIRECTION_COUNT> cluster_policies{};
};

// Whether one of them is in force.
bool has_enforced(const World& world, const NetworkPolicies& policies);

// What an isolation by these policies of one pod and direction rests on: those in force, else, for
// a dry run, all of them.
NetworkPolicies isolating(const World& world, const NetworkPolicies& policies);

// All local interfaces in the order of their numbers. Of policies with one key, the one
// written last counts.
std::vector<Subject> find_subjects(const World& world, const Identities& identities,
                                   std::vector<std::string>& warnings);

// What became of a subject: which one of the last World it was, and whether it may need other
// rule sets by now.
struct SubjectChange {
    std::optional<size_t> before;
    bool changed = true;
};

// The subjects of one World after another.
class Subjects {
public:
    // The World must outlive this, or the next update.
    Subjects(const World& world, const Identities& identities);

    // Goes over to the other World.
    std::vector<SubjectChange> update(const World& before, const World& now,
                                      const Identities& identities);

    const std::vector<Subject>& all() const { return subjects_; }
    const std::vector<std::string>& warnings() const { return warnings_; }

private:
    // To the same interfaces.
    void move_over(const World& before, const World& now, std::vector<SubjectChange>& changes);
    void take_over(const World& now, std::vector<SubjectChange>& changes);
    void follow_policies(const World& before, const World& now,
                         std::vector<SubjectChange>& changes);

    std::vector<std::string> warnings_; // of finding subjects_
    std::vector<Subject> subjects_;
    bool distinct_ = false; // every policy stands once, and in the order of their keys
};

} // namespace ebpfd
