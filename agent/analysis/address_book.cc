// SPDX-License-Identifier: Apache-2.0
#include "analysis/address_book.h"

#include <algorithm>
#include <tuple>

namespace ebpfd {

namespace {

std::vector<ServicePoint> service_points(const World& world, const Identities& identities)
{
    std::vector<std::string> said_by_the_compiler;
    return resolve_services(world, identities, said_by_the_compiler);
}

auto front_of(const ServicePoint& service)
{
    const Destination& front = service.front;
    return std::tuple(front.address, static_cast<uint8_t>(front.protocol), front.port);
}

} // namespace

AddressBook::AddressBook(const World& world)
    : world_(world), identities_(world), services_(service_points(world, identities_))
{
    for (const LocalInterface& local : world.interfaces) {
        if (local.pod == nullptr)
            continue;
        for (const IpAddress& address : local.pod->addresses)
            if (const Pod* owner = pod(address);
                owner != nullptr && owner->key() == local.pod->key())
                interfaces_.emplace(address, local.ifindex);
    }
    for (const auto& service : world.services)
        for (const IpAddress& address : service->cluster_ips)
            fronts_.emplace(address, service.get());
    for (const auto& node : world.nodes)
        for (const IpAddress& address : node->addresses)
            nodes_.emplace(address, node->name);
    for (const IpAddress& address : world.node_addresses)
        nodes_.emplace(address, "");
}

std::optional<uint32_t> AddressBook::local_interface(const IpAddress& address) const
{
    const auto found = interfaces_.find(address);
    return found == interfaces_.end() ? std::nullopt : std::optional(found->second);
}

const std::vector<Destination>* AddressBook::backends(const IpAddress& address, uint8_t protocol,
                                                      uint16_t port) const
{
    const std::tuple wanted(address, protocol, port);
    const auto found = std::ranges::lower_bound(services_, wanted, {}, front_of);
    return found == services_.end() || front_of(*found) != wanted ? nullptr : &found->backends;
}

const Service* AddressBook::service(const IpAddress& address) const
{
    if (pod(address) != nullptr || nodes_.contains(address))
        return nullptr;
    const auto found = fronts_.find(address);
    return found == fronts_.end() ? nullptr : found->second;
}

const std::string* AddressBook::node(const IpAddress& address) const
{
    const auto found = nodes_.find(address);
    return found == nodes_.end() ? nullptr : &found->second;
}

bool AddressBook::holds_known(const Cidr& block) const
{
    const auto holds_first = [&](const auto& sorted) {
        const auto first = std::ranges::lower_bound(
            sorted, block.address, {},
            [](const auto& entry) -> const IpAddress& { return entry.first; });
        return first != sorted.end() && block.contains(first->first);
    };
    return holds_first(identities_.addresses()) || holds_first(nodes_) || holds_first(fronts_);
}

Workload AddressBook::workload(const IpAddress& address) const
{
    if (const Pod* owner = pod(address))
        return workload_of(*owner);
    if (const std::string* name = node(address))
        return {"Node", "", name->empty() ? address.text() : *name};
    if (const Service* front = service(address))
        return {"Service", front->service_namespace, front->name};
    return {"", "", address.text()};
}

} // namespace ebpfd
