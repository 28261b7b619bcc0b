// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "inventory/interface_table.h"

#include <span>
#include <unordered_map>
#include <vector>

namespace ebpfd {

// Whether the interface can be one pod's own. A bridge is shared by many.
bool may_be_a_pods(const Link& link);

// The interfaces that an address leads to, among those that can be a pod's.
class AddressIndex {
public:
    explicit AddressIndex(const InterfaceTable& table);

    // Whose far end has the address.
    std::span<const uint32_t> far_ends(const IpAddress& address) const;
    // That a host route to the address leaves by, lower metrics first.
    std::span<const uint32_t> routes(const IpAddress& address) const;
    bool leads_anywhere(const IpAddress& address) const
    {
        return !far_ends(address).empty() || !routes(address).empty();
    }

private:
    using Map = std::unordered_map<IpAddress, std::vector<uint32_t>>;
    Map far_ends_;
    Map routes_;
};

} // namespace ebpfd
