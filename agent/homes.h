// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ebpfd/endpoint.h"
#include "inventory/address_index.h"
#include "inventory/locate.h"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace ebpfd {

// Locates pods, and keeps to what was found: a pod that may change its own interface must not
// get out of its policy by taking its address away, nor into another's by taking that one's.
//
// A pod stays at its interface while both exist and its object says the same uid, addresses and
// annotation. It leaves only for a host route, which the node's root has set.
class Homes {
public:
    // What an earlier agent found.
    void adopt(const std::vector<std::pair<uint32_t, endpoint_name>>& endpoints);

    // As locate_pods().
    std::vector<LocalInterface> locate(const std::vector<std::shared_ptr<const Pod>>& pods,
                                       const InterfaceTable& table, const std::string& node_name,
                                       const std::vector<std::string>& pod_interface_globs,
                                       std::vector<std::string>* warnings);

private:
    struct Home {
        std::optional<std::string> uid; // none: an earlier agent's, which did not write it down
        std::set<IpAddress> addresses;
        uint32_t ifindex = 0;
    };
    // The interface's name, if the pod stays at it.
    const std::string* home_of(const Pod& pod, const InterfaceTable& table,
                               const AddressIndex& index) const;

    std::map<std::string, Home> homes_; // by the pod's key; without those that are annotated
};

// node_addresses() without the services' cluster IPs, which kube-proxy may give the node.
std::set<IpAddress> own_node_addresses(std::set<IpAddress> addresses,
                                       const std::vector<std::shared_ptr<const Service>>& services);

} // namespace ebpfd
