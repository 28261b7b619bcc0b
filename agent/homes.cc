// SPDX-License-Identifier: Apache-2.0
#include "homes.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

namespace ebpfd {
namespace {

// Names of interfaces that annotations ask for: an annotation is the surest sign.
std::set<std::string> annotated(const std::vector<std::shared_ptr<const Pod>>& pods)
{
    std::set<std::string> names;
    for (const auto& pod : pods)
        if (!pod->interface.empty())
            names.insert(pod->interface);
    return names;
}

std::set<IpAddress> address_set(const Pod& pod)
{
    return {pod.addresses.begin(), pod.addresses.end()};
}

bool routed_elsewhere(const Pod& pod, uint32_t ifindex, const AddressIndex& index)
{
    bool elsewhere = false;
    for (const auto& address : pod.addresses) {
        const auto routes = index.routes(address);
        if (std::ranges::find(routes, ifindex) != routes.end())
            return false;
        elsewhere = elsewhere || !routes.empty();
    }
    return elsewhere;
}

} // namespace

void Homes::adopt(const std::vector<std::pair<uint32_t, endpoint_name>>& endpoints)
{
    for (const auto& [ifindex, row] : endpoints) {
        if (row.pod[0] == '\0')
            continue;
        Home home{.uid = std::nullopt, .addresses = {}, .ifindex = ifindex};
        for (const auto& bytes : row.address) {
            IpAddress address;
            std::ranges::copy(bytes, address.bytes.begin());
            if (address != IpAddress{})
                home.addresses.insert(address);
        }
        homes_[fmt::format("{}/{}", row.pod_namespace, row.pod)] = std::move(home);
    }
}

const std::string* Homes::home_of(const Pod& pod, const InterfaceTable& table,
                                  const AddressIndex& index) const
{
    const auto known = homes_.find(pod.key());
    if (known == homes_.end() || !pod.interface.empty())
        return nullptr;
    const auto& [uid, addresses, ifindex] = known->second;
    const auto link = table.links.find(ifindex);
    const bool same = (!uid || *uid == pod.uid) && addresses == address_set(pod);
    return same && link != table.links.end() && !routed_elsewhere(pod, ifindex, index)
               ? &link->second.name
               : nullptr;
}

std::vector<LocalInterface> Homes::locate(const std::vector<std::shared_ptr<const Pod>>& pods,
                                          const InterfaceTable& table, const std::string& node_name,
                                          const std::vector<std::string>& pod_interface_globs,
                                          std::vector<std::string>* warnings)
{
    const AddressIndex index(table);
    // Most pods are other nodes'.
    std::vector<std::shared_ptr<const Pod>> placed;
    for (const auto& pod : pods)
        if (may_run_here(*pod, node_name))
            placed.push_back(pod);
    const auto asked_for = annotated(placed);
    std::map<const Pod*, std::shared_ptr<const Pod>> originals; // of those that stay
    for (auto& pod : placed) {
        const auto* name = home_of(*pod, table, index);
        if (!name || asked_for.contains(*name))
            continue;
        // As if its annotation said so.
        auto staying = std::make_shared<Pod>(*pod);
        staying->interface = *name;
        originals.emplace(staying.get(), std::exchange(pod, staying));
    }
    auto found = locate_pods(placed, table, node_name, pod_interface_globs, warnings);
    homes_.clear();
    for (auto& [ifindex, name, pod] : found) {
        if (const auto original = originals.find(pod.get()); original != originals.end())
            pod = original->second;
        if (pod && pod->interface.empty())
            homes_[pod->key()] = {pod->uid, address_set(*pod), ifindex};
    }
    return found;
}

std::set<IpAddress> own_node_addresses(std::set<IpAddress> addresses,
                                       const std::vector<std::shared_ptr<const Service>>& services)
{
    for (const auto& service : services)
        for (const auto& address : service->cluster_ips)
            addresses.erase(address);
    return addresses;
}

} // namespace ebpfd
