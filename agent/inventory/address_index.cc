// SPDX-License-Identifier: Apache-2.0
#include "inventory/address_index.h"

#include <algorithm>

namespace ebpfd {

namespace {

std::span<const uint32_t> find(const std::unordered_map<IpAddress, std::vector<uint32_t>>& map,
                               const IpAddress& address)
{
    auto found = map.find(address);
    return found == map.end() ? std::span<const uint32_t>() : found->second;
}

void add(std::vector<uint32_t>& list, uint32_t ifindex)
{
    if (std::ranges::find(list, ifindex) == list.end())
        list.push_back(ifindex);
}

} // namespace

bool may_be_a_pods(const Link& link)
{
    return !link.loopback && link.kind != "bridge";
}

AddressIndex::AddressIndex(const InterfaceTable& table)
{
    for (const auto& [ifindex, link] : table.links)
        if (may_be_a_pods(link))
            for (const AssignedAddress& assigned : link.peer_addresses)
                add(far_ends_[assigned.address], ifindex);
    for (const HostRoute& route : table.routes) { // in the order of metrics
        auto link = table.links.find(route.ifindex);
        if (link != table.links.end() && may_be_a_pods(link->second))
            add(routes_[route.destination], route.ifindex);
    }
}

std::span<const uint32_t> AddressIndex::far_ends(const IpAddress& address) const
{
    return find(far_ends_, address);
}

std::span<const uint32_t> AddressIndex::routes(const IpAddress& address) const
{
    return find(routes_, address);
}

} // namespace ebpfd
