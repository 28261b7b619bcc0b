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

// Those of pods that are not being deleted: whoever else shows one has had it.
std::set<IpAddress> addresses_that_stay(const Homes::Pods& pods)
{
    std::set<IpAddress> addresses;
    for (const auto& pod : pods)
        if (!pod->terminating && !pod->finished && !pod->host_network)
            addresses.insert(pod->addresses.begin(), pod->addresses.end());
    return addresses;
}

bool has_any(const Pod& pod, const std::set<IpAddress>& addresses)
{
    return std::ranges::any_of(pod.addresses,
                               [&](const auto& address) { return addresses.contains(address); });
}

std::set<IpAddress> address_set(const Pod& pod)
{
    return {pod.addresses.begin(), pod.addresses.end()};
}

bool has_address(const Pod& pod, const IpAddress& address)
{
    return std::ranges::find(pod.addresses, address) != pod.addresses.end();
}

bool has_exactly(const Pod& pod, const std::set<IpAddress>& addresses)
{
    return std::ranges::all_of(pod.addresses,
                               [&](const auto& a) { return addresses.contains(a); }) &&
           std::ranges::all_of(addresses, [&](const auto& a) { return has_address(pod, a); });
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

// An interface that has a pod's address and is not that pod's is nobody's whom the inventory knows.
void close_contested(std::vector<LocalInterface>& found, const Homes::Pods& pods,
                     const InterfaceTable& table, const AddressIndex& index,
                     std::vector<std::string>* warnings)
{
    std::map<uint32_t, LocalInterface> all;
    for (auto& local : found)
        all.emplace(local.ifindex, std::move(local));
    for (const auto& pod : pods)
        for (const auto& address : pod->addresses)
            for (const uint32_t ifindex : index.far_ends(address)) {
                const std::string& name = table.links.at(ifindex).name;
                const auto [local, fresh] = all.try_emplace(ifindex, ifindex, name, nullptr);
                if (local->second.pod == nullptr && warnings)
                    warnings->push_back(fmt::format(
                        "interface {} has the address {} of pod {} and is another's: it is closed",
                        name, address.text(), pod->key()));
            }
    found.clear();
    for (auto& [ifindex, local] : all)
        found.push_back(std::move(local));
}

// Whether another interface leads to one of its addresses.
bool shown_elsewhere(const Pod& pod, uint32_t ifindex, const AddressIndex& index)
{
    return std::ranges::any_of(pod.addresses, [&](const IpAddress& address) {
        return std::ranges::any_of(index.far_ends(address),
                                   [&](uint32_t one) { return one != ifindex; });
    });
}

} // namespace

void Homes::adopt(const std::vector<std::pair<uint32_t, endpoint_name>>& endpoints)
{
    for (const auto& [ifindex, row] : endpoints) {
        if (row.pod[0] == '\0')
            continue;
        Home home{.uid = std::nullopt, .addresses = {}, .ifindex = ifindex, .left = std::nullopt};
        for (const auto& bytes : row.address) {
            IpAddress address;
            std::ranges::copy(bytes, address.bytes.begin());
            if (address != IpAddress{})
                home.addresses.insert(address);
        }
        homes_[fmt::format("{}/{}", row.pod_namespace, row.pod)] = std::move(home);
        adopted_ = true;
    }
}

void Homes::leave(const GoneInterfaces& gone, Clock::time_point now)
{
    std::set<uint32_t> known;
    for (auto& [key, home] : homes_)
        if (!home.left && gone.contains(home.ifindex)) {
            home.left = now;
            known.insert(home.ifindex);
        }
    std::erase_if(unseen_, [&](const auto& one) { return now - one.second.left > absence; });
    for (const auto& [ifindex, addresses] : gone)
        if (!known.contains(ifindex))
            for (const auto& address : addresses)
                unseen_.insert_or_assign(address, Unseen{ifindex, now});
}

// Whoever has such an address next is another.
void Homes::leave_unseen(const Pods& pods)
{
    for (const auto& [address, unseen] : std::exchange(unseen_, {}))
        for (const auto& pod : pods)
            if (has_address(*pod, address) && pod->interface.empty() && home_of(*pod) == nullptr)
                homes_[pod->key()] = {pod->uid, address_set(*pod), unseen.ifindex, unseen.left};
}

void Homes::leave_missing(const InterfaceTable& table, Clock::time_point now)
{
    for (auto& [key, home] : homes_)
        if (!home.left && !table.links.contains(home.ifindex))
            home.left = now;
}

const Homes::Home* Homes::home_of(const Pod& pod) const
{
    const auto known = homes_.find(pod.key());
    if (known == homes_.end() || !pod.interface.empty())
        return nullptr;
    const Home& home = known->second;
    const bool named = home.uid && !home.uid->empty(); // else the addresses have to tell
    const bool same = named ? *home.uid == pod.uid
                            : (!home.uid || pod.uid.empty()) && has_exactly(pod, home.addresses);
    return same ? &home : nullptr;
}

const std::string* Homes::stays_at(const Home& home, const Pod& pod, const InterfaceTable& table,
                                   const AddressIndex& index)
{
    const auto link = table.links.find(home.ifindex);
    if (home.left || link == table.links.end() || routed_elsewhere(pod, home.ifindex, index))
        return nullptr;
    const bool moved =
        !has_exactly(pod, home.addresses) && shown_elsewhere(pod, home.ifindex, index);
    return moved ? nullptr : &link->second.name;
}

bool Homes::is_away(const Home& home, const Pod& pod, bool waits, Clock::time_point now)
{
    if (!home.left)
        return false;
    const bool expected =
        waits && !pod.terminating && has_exactly(pod, home.addresses) && now - *home.left < absence;
    expects_any_ = expects_any_ || expected;
    return pod.terminating || expected;
}

// Of a pod that is being deleted an earlier agent knew where it was; if it did not, the pod had
// left by then.
bool Homes::had_left(const Pod& pod, const AddressIndex& index) const
{
    return adopted_ && pod.terminating && pod.interface.empty() &&
           std::ranges::any_of(pod.addresses, [&](const IpAddress& address) {
               return !index.far_ends(address).empty();
           });
}

void Homes::part(Pods& pods, const AddressIndex& index, bool waits, Clock::time_point now)
{
    away_.clear();
    expects_any_ = false;
    std::erase_if(pods, [&](const auto& pod) {
        const Home* home = home_of(*pod);
        const bool away =
            home != nullptr ? is_away(*home, *pod, waits, now) : had_left(*pod, index);
        if (away)
            away_.insert(pod.get());
        return away;
    });
}

void Homes::remember(const std::vector<LocalInterface>& found, const Pods& pods)
{
    std::map<std::string, Home> homes;
    for (const auto& pod : pods)
        if (const Home* home = home_of(*pod); home != nullptr && home->left)
            homes[pod->key()] = *home;
    for (const auto& [ifindex, name, pod] : found)
        if (pod && pod->interface.empty())
            homes[pod->key()] = {pod->uid, address_set(*pod), ifindex, std::nullopt};
    homes_ = std::move(homes);
}

std::vector<LocalInterface> Homes::locate(const Pods& pods, const InterfaceTable& table,
                                          const std::string& node_name,
                                          const std::vector<std::string>& pod_interface_globs,
                                          std::vector<std::string>* warnings, Clock::time_point now)
{
    const AddressIndex index(table);
    leave_missing(table, now);
    // Most pods are other nodes'.
    Pods here;
    for (const auto& pod : pods)
        if (may_run_here(*pod, node_name))
            here.push_back(pod);
    leave_unseen(here);
    Pods placed = here;
    part(placed, index, !pod_interface_globs.empty(), now);
    const auto asked_for = annotated(placed);
    const auto succeeded = addresses_that_stay(placed);
    Staying staying;
    for (const auto& pod : placed) {
        const Home* home = home_of(*pod);
        const auto* name = home != nullptr ? stays_at(*home, *pod, table, index) : nullptr;
        if (name && !asked_for.contains(*name) && !(pod->terminating && has_any(*pod, succeeded)))
            staying.emplace(pod.get(), home->ifindex);
    }
    auto found =
        locate_pods(placed, staying, table, index, node_name, pod_interface_globs, warnings);
    remember(found, here);
    close_contested(found, here, table, index, warnings);
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
