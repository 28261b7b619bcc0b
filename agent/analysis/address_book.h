// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "analysis/workload.h"
#include "model/world.h"
#include "policy/identities.h"
#include "policy/services.h"

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace ebpfd {

// Who is behind an address in one World, which must outlive it.
class AddressBook {
public:
    explicit AddressBook(const World& world);
    AddressBook(const AddressBook&) = delete;
    AddressBook& operator=(const AddressBook&) = delete;

    const World& world() const { return world_; }
    // The pod that owns the address, or nullptr.
    const Pod* pod(const IpAddress& address) const { return identities_.owner(address); }
    // The interface of the local pod that owns the address.
    std::optional<uint32_t> local_interface(const IpAddress& address) const;
    // The ready endpoints behind a port of a cluster IP; nullptr: there are none.
    const std::vector<Destination>* backends(const IpAddress& address, uint8_t protocol,
                                             uint16_t port) const;
    // The service that has the cluster IP, or nullptr.
    const Service* service(const IpAddress& address) const;
    // A node's name; nullptr: the address is no node's. A node that is not described has none.
    const std::string* node(const IpAddress& address) const;
    // Whether an address of a pod, a node or a service lies inside.
    bool holds_known(const Cidr& block) const;
    // The pod's, a service, a node, or the address itself.
    Workload workload(const IpAddress& address) const;

private:
    const World& world_;
    Identities identities_;
    std::vector<ServicePoint> services_;
    std::unordered_map<IpAddress, uint32_t> interfaces_;
    std::map<IpAddress, const Service*> fronts_;
    std::map<IpAddress, std::string> nodes_;
};

} // namespace ebpfd
