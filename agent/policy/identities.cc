// SPDX-License-Identifier: Apache-2.0
#include "policy/identities.h"

#include "policy/key_writer.h"

#include <algorithm>
#include <set>
#include <tuple>

namespace ebpfd {

namespace {

constexpr std::string_view NAMESPACE_NAME_LABEL = "kubernetes.io/metadata.name";

// Of two pods that show one address, the newest owns it; the rest only makes it certain.
bool owns_before(const Pod& one, const Pod& other)
{
    return std::tie(one.created, one.uid, one.pod_namespace, one.name) >
           std::tie(other.created, other.uid, other.pod_namespace, other.name);
}

std::vector<NamedPort> sorted_ports(const Pod& pod)
{
    std::set<NamedPort> ports(pod.ports.begin(), pod.ports.end());
    return {ports.begin(), ports.end()};
}

} // namespace

Identities::Identities(const World& world)
{
    describe_namespaces(world);
    find_owners(world);
    gather();
}

void Identities::describe_namespaces(const World& world)
{
    for (const auto& known : world.namespaces)
        namespaces_[known->name] = known->labels;
    for (const auto& pod : world.pods)
        namespaces_[pod->pod_namespace];
    for (auto& [name, labels] : namespaces_) {
        labels.try_emplace(std::string(NAMESPACE_NAME_LABEL), name);
        namespace_numbers_.emplace(name, static_cast<uint32_t>(namespace_keys_.size()));
        namespace_keys_.push_back(KeyWriter().text(name).labels(labels).take());
        namespace_index_.add(labels);
    }
}

// A node's address that a pod of its host network shows is no pod's.
void Identities::find_owners(const World& world)
{
    for (const auto& pod : world.pods) {
        if (pod->finished)
            continue;
        for (const IpAddress& address : pod->addresses) {
            if (world.node_addresses.contains(address))
                continue;
            const Pod*& owner = owners_.try_emplace(address, pod.get()).first->second;
            if (owner->key() != pod->key() && !owner->host_network && !pod->host_network)
                contested_.insert(address);
            if (owns_before(*pod, *owner))
                owner = pod.get();
        }
    }
    std::erase_if(owners_, [](const auto& entry) { return entry.second->host_network; });
}

// Numbers follow the order of addresses, so that they do not depend on the World's order.
void Identities::gather()
{
    for (const auto& [address, pod] : owners_)
        addresses_.emplace_back(address, 0);
    std::ranges::sort(addresses_);
    std::unordered_map<const Pod*, uint32_t> done;
    for (auto& [address, number] : addresses_) {
        const Pod* pod = owners_.at(address);
        const auto [known, fresh] = done.try_emplace(pod, 0);
        if (fresh)
            known->second = intern(*pod);
        number = known->second;
    }
    members_.assign(namespace_keys_.size(), Bitset(identities_.size()));
    for (uint32_t number = 0; number < identities_.size(); ++number) {
        members_[identities_[number].in_namespace].set(number);
        pod_index_.add(*identities_[number].labels);
    }
    numbers_.clear();
    for (const IpAddress& address : contested_) {
        if (!owners_.contains(address))
            continue;
        warnings_.push_back("several pods show the address " + address.text() + ": " +
                            owners_.at(address)->key() + ", the newest one, owns it");
    }
}

uint32_t Identities::intern(const Pod& pod)
{
    Identity identity{.key = {},
                      .labels = &pod.labels,
                      .ports = sorted_ports(pod),
                      .in_namespace = namespace_numbers_.at(pod.pod_namespace)};
    KeyWriter key;
    key.text("pod").raw(namespace_keys_[identity.in_namespace]).labels(pod.labels);
    key.number(identity.ports.size());
    for (const NamedPort& port : identity.ports)
        key.text(port.name).number(static_cast<uint64_t>(port.protocol)).number(port.number);
    identity.key = key.take();
    const auto next = static_cast<uint32_t>(identities_.size());
    const auto [known, fresh] = numbers_.try_emplace(identity.key, next);
    if (fresh)
        identities_.push_back(std::move(identity));
    return known->second;
}

const Labels* Identities::labels_of_namespace(const std::string& name) const
{
    const auto found = namespaces_.find(name);
    return found == namespaces_.end() ? nullptr : &found->second;
}

const Pod* Identities::owner(const IpAddress& address) const
{
    const auto found = owners_.find(address);
    return found == owners_.end() ? nullptr : found->second;
}

std::optional<uint32_t> Identities::find(const IpAddress& address) const
{
    const auto found = std::ranges::lower_bound(
        addresses_, address, {}, [](const auto& entry) -> const IpAddress& { return entry.first; });
    if (found == addresses_.end() || found->first != address)
        return std::nullopt;
    return found->second;
}

const Bitset& Identities::in_namespaces(const Selector& selector)
{
    const auto known = by_namespaces_.find(selector);
    if (known != by_namespaces_.end())
        return known->second;
    Bitset result(identities_.size());
    namespace_index_.select(selector).for_each(
        [&](uint32_t number) { result |= members_[number]; });
    return by_namespaces_.emplace(selector, std::move(result)).first->second;
}

Bitset Identities::select(const PolicyPeer& peer, const std::string& own_namespace)
{
    Bitset result = pod_index_.select(peer.pods.value_or(Selector{}));
    if (peer.namespaces) {
        result &= in_namespaces(*peer.namespaces);
        return result;
    }
    const auto number = namespace_numbers_.find(own_namespace);
    if (number == namespace_numbers_.end())
        return Bitset(identities_.size());
    result &= members_[number->second];
    return result;
}

} // namespace ebpfd
