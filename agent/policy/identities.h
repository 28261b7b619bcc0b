// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "model/world.h"
#include "policy/label_index.h"

#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace ebpfd {

// What is the same for all pods of one namespace, labels and named ports.
struct Identity {
    std::string key;
    const Labels* labels = nullptr;
    std::vector<NamedPort> ports; // sorted
    uint32_t in_namespace = 0;    // number of its namespace
};

// The pods that peers can select, gathered into identities, and the owners of addresses.
// The World must outlive it.
class Identities {
public:
    explicit Identities(const World& world);

    const std::vector<Identity>& all() const { return identities_; }
    // The identity of the pod that owns the address; nothing for nodes and the outside.
    std::optional<uint32_t> find(const IpAddress& address) const;
    // The pod that owns the address, or nullptr.
    const Pod* owner(const IpAddress& address) const;
    // Addresses and the identities of their owners, in the order of addresses.
    const std::vector<std::pair<IpAddress, uint32_t>>& addresses() const { return addresses_; }
    // The identities that a peer with selectors matches; pods alone means own_namespace.
    Bitset select(const PolicyPeer& peer, const std::string& own_namespace);
    // Of every namespace that is described or has a pod; nullptr: it is neither.
    const Labels* labels_of_namespace(const std::string& name) const;
    const std::vector<std::string>& warnings() const { return warnings_; }

private:
    void describe_namespaces(const World& world);
    void find_owners(const World& world);
    void gather();
    uint32_t intern(const Pod& pod);
    const Bitset& in_namespaces(const Selector& selector);

    std::map<std::string, Labels> namespaces_;
    std::unordered_map<std::string_view, uint32_t> namespace_numbers_;
    std::vector<std::string> namespace_keys_;
    std::vector<Bitset> members_; // identities by namespace number
    LabelIndex namespace_index_;
    LabelIndex pod_index_;
    std::map<Selector, Bitset> by_namespaces_;
    std::unordered_map<IpAddress, const Pod*> owners_;
    std::set<IpAddress> contested_; // shown by several pods
    std::vector<Identity> identities_;
    std::unordered_map<std::string, uint32_t> numbers_;
    std::vector<std::pair<IpAddress, uint32_t>> addresses_;
    std::vector<std::string> warnings_;
};

} // namespace ebpfd
