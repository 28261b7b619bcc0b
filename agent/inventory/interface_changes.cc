// SPDX-License-Identifier: Apache-2.0
#include "inventory/interface_changes.h"

namespace ebpfd {

namespace {

bool remove_routes(InterfaceTable& table, uint32_t ifindex)
{
    return std::erase_if(table.routes,
                         [&](const HostRoute& route) { return route.ifindex == ifindex; }) > 0;
}

template <class Set, class Item> bool put_or_remove(Set& set, const Item& item, bool removed)
{
    return removed ? set.erase(item) > 0 : set.insert(item).second;
}

} // namespace

bool store_link(InterfaceTable& table, Link link)
{
    bool changed = false;
    // An interface that is down has no routes; for IPv4 the kernel does not say so.
    if (!link.up)
        changed = remove_routes(table, link.ifindex);
    Link& stored = table.links[link.ifindex];
    if (stored.peer == link.peer && stored.peer_nsid == link.peer_nsid)
        link.peer_addresses = stored.peer_addresses;
    if (stored == link)
        return changed;
    stored = std::move(link);
    return true;
}

bool store_peer_addresses(InterfaceTable& table, uint32_t ifindex, std::set<AssignedAddress> found)
{
    auto link = table.links.find(ifindex);
    if (link == table.links.end() || link->second.peer_addresses == found)
        return false;
    link->second.peer_addresses = std::move(found);
    return true;
}

bool remove_link(InterfaceTable& table, uint32_t ifindex)
{
    bool changed = table.links.erase(ifindex) > 0;
    changed |= std::erase_if(table.addresses,
                             [&](const OwnAddress& own) { return own.ifindex == ifindex; }) > 0;
    changed |= remove_routes(table, ifindex);
    return changed;
}

bool take_own_address(InterfaceTable& table, const AddressMessage& message)
{
    return put_or_remove(table.addresses, message.address, message.removed);
}

bool take_peer_address(InterfaceTable& table, const AddressMessage& message, int32_t nsid)
{
    bool changed = false;
    for (auto& [ifindex, link] : table.links) {
        if (link.peer_nsid == nsid && link.peer == message.address.ifindex &&
            link.has_distant_peer())
            changed |=
                put_or_remove(link.peer_addresses, message.address.assigned, message.removed);
    }
    return changed;
}

bool take_route(InterfaceTable& table, const RouteMessage& message)
{
    const HostRoute& route = message.route;
    if (message.removed)
        return table.routes.erase(route) > 0;
    if (message.replaces && table.routes.contains(route))
        return false;
    bool changed = false;
    if (message.replaces)
        changed = std::erase_if(table.routes, [&](const HostRoute& other) {
                      return other.destination == route.destination && other.metric == route.metric;
                  }) > 0;
    if (route.ifindex != 0)
        changed |= table.routes.insert(route).second;
    return changed;
}

} // namespace ebpfd
