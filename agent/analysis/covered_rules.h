// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "analysis/coverage.h"
#include "analysis/every_pod.h"

#include <array>
#include <map>
#include <tuple>
#include <vector>

namespace ebpfd {

// All rules of a world's policies before anything is known of them, and the way back from the
// compiler's rules to them. The world must outlive it. Isolations are listed as pods of this node
// have them; of a policy without such pods, by itself.
class CoveredRules {
public:
    static constexpr size_t NONE = ~size_t{0};

    CoveredRules(const World& world, const std::vector<PodGroup>& groups);

    std::vector<CoveredRule>& list() { return list_; }
    const std::vector<CoveredRule>& list() const { return list_; }
    // NONE: it is no policy's, or an isolation of pods of other nodes.
    size_t find(const PlanRule& rule) const;
    // The rules that policies have for the pod, and its isolations.
    std::vector<size_t> of(const Subject& subject, direction dir) const;
    std::vector<size_t> isolations(const Subject& subject, direction dir) const;

    // As written; nullptr for an isolation.
    const PolicyRule* rule(size_t number) const { return sources_[number].rule; }
    // nullptr: it is none's.
    const ClusterPolicy* cluster_policy(size_t number) const { return sources_[number].cluster; }

private:
    struct Source {
        const PolicyRule* rule = nullptr;
        const ClusterPolicy* cluster = nullptr;
    };
    using Name = std::tuple<rule_kind, direction, std::string, std::string, size_t>;
    using Pods = std::array<size_t, 2>; // all, and those of this node

    void count_pods(const std::vector<PodGroup>& groups);
    void add(const ClusterPolicy& policy);
    void add(const NetworkPolicy& policy);
    void add_isolations(const std::vector<PodGroup>& groups);
    void add_isolation(const NetworkPolicies& policies, direction dir, Pods pods);
    void add(CoveredRule rule, Source source);
    void sort();
    size_t find(const Name& name) const;

    const World& world_;
    std::vector<CoveredRule> list_;
    std::vector<Source> sources_;
    std::map<Name, size_t> numbers_;
    std::map<std::pair<const void*, direction>, Pods> pods_; // by policy
};

} // namespace ebpfd
