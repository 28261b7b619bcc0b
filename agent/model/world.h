// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "model/objects.h"
#include "model/shared_list.h"

#include <memory>
#include <set>
#include <string>
#include <vector>

namespace ebpfd {

// An interface of this network namespace that belongs to a pod. Without a pod (an interface
// that --pod-interfaces names, its pod not known yet) it is closed.
struct LocalInterface {
    uint32_t ifindex = 0;
    std::string name;
    std::shared_ptr<const Pod> pod;
};

// All that policy depends on, at one moment: plain data, shared objects never change.
struct World {
    SharedList<std::shared_ptr<const NetworkPolicy>> policies;
    SharedList<std::shared_ptr<const ClusterPolicy>> cluster_policies;
    SharedList<std::shared_ptr<const Pod>> pods; // finished and host-network pods included
    SharedList<std::shared_ptr<const Namespace>> namespaces;
    SharedList<std::shared_ptr<const Service>> services;
    SharedList<std::shared_ptr<const EndpointSlice>> slices;
    SharedList<std::shared_ptr<const Node>> nodes;
    std::set<IpAddress> node_addresses; // of this node only
    std::vector<LocalInterface> interfaces;
    // --mode audit: nothing is enforced, and a dry run is no exception from that.
    bool audit = false;

    // Whether a policy only says what it would do.
    bool rehearses(const auto& policy) const { return policy.dry_run && !audit; }
    size_t policy_count() const { return policies.size() + cluster_policies.size(); }
    // Whether both hold the same objects.
    bool has_policies_of(const World& other) const
    {
        return policies == other.policies && cluster_policies == other.cluster_policies;
    }
};

} // namespace ebpfd
