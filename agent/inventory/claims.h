// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "inventory/address_index.h"
#include "model/objects.h"

#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace ebpfd {

// The interfaces of pods of which it is known that they stay there, by pod.
using Staying = std::unordered_map<const Pod*, uint32_t>;

// Hands out interfaces to pods, each to one, in steps from the surest sign to the weakest.
class Claims {
public:
    using PodPointer = std::shared_ptr<const Pod>;

    // pods: newest first. table and index outlive this object.
    Claims(const InterfaceTable& table, const AddressIndex& index, std::vector<PodPointer> pods);

    void grant_by_annotation();
    void grant_staying(const Staying& staying);
    void grant_by_far_end();
    void grant_by_route();

    const std::map<uint32_t, PodPointer>& granted() const { return granted_; } // by ifindex
    // The pods that have no interface yet.
    const std::vector<PodPointer>& waiting() const { return waiting_; }
    const std::vector<std::string>& warnings() const { return warnings_; }

private:
    void settle_addresses();
    void grant_named(const PodPointer& pod);
    // Every interface whose far end has an address of the pod, the best first.
    std::vector<uint32_t> far_end_candidates(const Pod& pod) const;
    // Gives each waiting pod the first free interface of candidates_of(pod).
    template <class Function> void grant_each(const Function& candidates_of);
    bool owns(const Pod& pod, const IpAddress& address) const;

    const InterfaceTable& table_;
    const AddressIndex& index_;
    std::vector<PodPointer> waiting_;
    std::unordered_map<IpAddress, const Pod*> address_owner_;
    std::map<uint32_t, PodPointer> granted_;
    std::vector<std::string> warnings_;
};

} // namespace ebpfd
