// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "model/plan.h"
#include "model/world.h"
#include "policy/label_index.h"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace ebpfd {

// What is the same for all pods of one namespace, labels and named ports.
struct Identity {
    std::shared_ptr<const Labels> labels; // nullptr: a service port, or a number not in use
    std::vector<NamedPort> ports;         // sorted
    uint32_t in_namespace = 0;            // number of its namespace
    uint32_t addresses = 0;               // that it has; those of pods go with the last one
};

// What a change of the World comes to.
struct IdentityChanges {
    std::vector<uint32_t> gone;
    std::vector<uint32_t> fresh;
    std::set<IpAddress> addresses; // that may have another owner or identity

    bool none() const { return gone.empty() && fresh.empty() && addresses.empty(); }
    bool has_identities() const { return !gone.empty() || !fresh.empty(); }
};

// The pods that peers can select, gathered into identities, and the owners of addresses. An
// identity keeps its number as long as it is there; numbers that fell free are used again from
// the next update on.
// The World must outlive it, or the next update.
class Identities {
public:
    explicit Identities(const World& world);
    Identities(const Identities&) = delete;
    Identities& operator=(const Identities&) = delete;

    // Goes over to another World with the same node addresses.
    IdentityChanges update(const World& before, const World& now);

    // By number.
    const std::vector<Identity>& all() const { return identities_; }
    // How many are of pods: at first their numbers are the lowest.
    size_t pod_count() const { return numbers_.size(); }
    const PartList<PlanIdentity>& parts() const { return parts_; }
    const std::string& key(uint32_t number) const { return parts_[number].key; }
    // The identity of the pod that owns the address; nothing for nodes and the outside.
    std::optional<uint32_t> find(const IpAddress& address) const;
    // The pod that owns the address, or nullptr.
    const Pod* owner(const IpAddress& address) const;
    // Addresses and the identities of their owners, in the order of addresses.
    const std::vector<std::pair<IpAddress, uint32_t>>& addresses() const { return addresses_; }
    // The identities that a peer with selectors matches; pods alone means own_namespace.
    Bitset select(const PolicyPeer& peer, const std::string& own_namespace);
    // Whether the identity is one of those.
    bool selects(const PolicyPeer& peer, const std::string& own_namespace, uint32_t number) const;
    // Of every namespace that is described or has a pod; nullptr: it is neither.
    const Labels* labels_of_namespace(const std::string& name) const;
    std::vector<std::string> warnings() const;

    // Numbers for service ports, from the same stock.
    uint32_t add_service(std::string key);
    void remove_service(uint32_t number);
    // Gives back memory that only speeds up the next select().
    void forget_selections();

private:
    struct Space {
        std::string name;
        Labels labels;
        std::string key;
        uint32_t number = 0;
    };
    // Who shows an address; of those, the holder comes before the rivals. Pods of the host network
    // hold it for the node: nobody owns it then.
    struct Claim {
        const Pod* holder = nullptr;
        std::vector<const Pod*> rivals;
        std::optional<uint32_t> identity;
        const Pod* owner() const
        {
            return holder != nullptr && !holder->host_network ? holder : nullptr;
        }
    };
    using AddressChanges = std::map<IpAddress, std::optional<uint32_t>>;

    // Returns the namespaces whose labels have changed.
    std::set<uint32_t> describe_namespaces(const World& before, const World& now);
    bool describe(const std::string& name, Labels labels);
    Space& space_of(const std::string& name);
    std::set<IpAddress> change_claims(const World& before, const World& now);
    void claim(const IpAddress& address, const Pod& pod);
    void withdraw(const IpAddress& address, const Pod& pod);
    void touch_members(const std::set<uint32_t>& spaces, std::set<IpAddress>& touched) const;
    void settle_claim(const IpAddress& address, Claim& claim, IdentityChanges& changes,
                      AddressChanges& moved);
    void note_contest(const IpAddress& address, const Claim& claim);
    uint32_t intern(const Pod& pod, IdentityChanges& changes);
    uint32_t take_number(std::string key);
    void give_back(uint32_t number);
    void drop_unused(IdentityChanges& changes);
    void change_addresses(const AddressChanges& moved);
    const Bitset& in_namespaces(const Selector& selector);

    std::unordered_map<std::string, Space> spaces_;
    std::vector<const Space*> space_list_; // by number
    std::vector<Bitset> members_;          // identities by namespace number
    LabelIndex namespace_index_;
    LabelIndex pod_index_;
    std::map<Selector, Bitset> by_namespaces_;
    std::unordered_map<IpAddress, Claim> claims_;
    std::set<IpAddress> contested_; // shown by several pods
    std::vector<Identity> identities_;
    PartList<PlanIdentity> parts_;
    std::unordered_map<std::string_view, uint32_t> numbers_; // of those of pods, by key
    std::vector<uint32_t> free_;
    std::vector<uint32_t> freed_; // since the last update began
    std::vector<std::pair<IpAddress, uint32_t>> addresses_;
};

} // namespace ebpfd
