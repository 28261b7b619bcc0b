// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "analysis/workload.h"
#include "model/world.h"

#include <map>
#include <string>
#include <vector>

namespace ebpfd {

// What selects the pods of one workload in its namespace.
struct WorkloadSelector {
    Selector selector;
    std::vector<Workload> strangers; // whom it selects as well: no label tells them apart
    size_t pods = 0;                 // of the workload
};

// Finds for each workload the fewest labels that its pods have in common and no other pod of the
// namespace has: labels that name things first, those that pass with a pod or revision never.
// The World must outlive it.
class WorkloadSelectors {
public:
    explicit WorkloadSelectors(const World& world);
    // Of one that the World has pods of.
    const WorkloadSelector& of(const Workload& workload);

private:
    // Pods of one workload whose labels, passing ones aside, are the same.
    struct Variant {
        const Workload* workload;
        Labels labels;
    };
    using Variants = std::vector<const Variant*>;

    void add(const Pod& pod);
    WorkloadSelector find(const Workload& workload) const;

    std::map<Workload, std::map<Labels, size_t>> pods_; // how many have these labels
    std::map<std::string, std::vector<Variant>> by_namespace_;
    std::map<Workload, WorkloadSelector> found_;
};

} // namespace ebpfd
