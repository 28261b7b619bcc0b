// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "model/objects.h"

#include <compare>
#include <string>
#include <string_view>

namespace ebpfd {

// What is deployed as one: the controller of pods, or what stands for an address of no pod.
struct Workload {
    std::string kind;         // "Deployment", "Pod" …, "Service", "Node"; empty: not known
    std::string in_namespace; // empty: a node, or outside the cluster
    std::string name;         // outside the cluster: an address or a block

    auto operator<=>(const Workload&) const = default;
    // "shop/web", "node-1", "203.0.113.7".
    std::string text() const { return in_namespace.empty() ? name : in_namespace + "/" + name; }
};

// By the controller: what made a ReplicaSet is a Deployment, what made a numbered Job a CronJob.
// Without one by the labels app.kubernetes.io/name, app, k8s-app; else the pod stands for itself.
Workload workload_of(const Pod& pod);

// Whether the label's value says which pod, or which revision, not which workload.
bool is_passing_label(std::string_view key);

} // namespace ebpfd
