// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "model/plan.h"
#include "policy/closure.h"
#include "policy/identities.h"
#include "policy/subjects.h"

#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace ebpfd {

// What the peers of one rule come to, ORed.
struct PeerSet {
    bool any_peer = false; // then the rest is empty
    bool any_pod = false;  // then identities are empty
    Bitset identities;
    std::vector<IpBlock> blocks;
    std::string key; // what was asked for; not which identities there are
};

// A rule, and a part in its policy.
using RulePointer = std::shared_ptr<const PolicyRule>;

// A rule of a policy, and what else decides over its place and name.
struct RuleSource {
    NetworkPolicyPointer policy = nullptr;  // its own, or
    ClusterPolicyPointer cluster = nullptr; // the cluster-wide one
    direction dir = DIRECTION_INGRESS;
    size_t index = 0; // in the list of that direction

    const PolicyRule& rule() const;
    RulePointer pointer() const;
    const std::string& policy_namespace() const; // its kind, for a cluster-wide policy
    const std::string& policy_name() const;
    tier in_tier() const { return cluster ? cluster->in_tier : TIER_NETWORK_POLICY; }
    bool is_rehearsed(const World& world) const;
};

// One bit of a rule set: a rule, or the part of it for one number of a named port.
struct RuleBit {
    uint32_t rule = 0; // place in RuleBits::rules()
    rule_action action = ACTION_ALLOW;
    tier in_tier = TIER_NETWORK_POLICY;
    std::shared_ptr<const PeerSet> peers;
    bool any_port = false;
    bool watching = false; // of a dry-run policy
    std::vector<PortSpan> ports;
    std::string key;
};

using RuleBitPointer = std::shared_ptr<const RuleBit>;

// Turns the rules of policies into bits, each one once. What nobody else has any more goes with
// the next sweep(), and with it its part in the policy that it was made from.
class RuleBits {
public:
    RuleBits(const World& world, Identities& identities) : world_(world), identities_(identities) {}

    // Named ports are those of the selected pod. No bit: the rule matches nothing.
    std::vector<RuleBitPointer> ingress(const RuleSource& source,
                                        const std::vector<NamedPort>& pod_ports);
    // Named ports are those of each peer pod: one bit for each number they resolve to.
    const std::vector<RuleBitPointer>& egress(const RuleSource& source);
    // The last bit of pods that these policies select; all of them dry runs, or none.
    RuleBitPointer isolation(const NetworkPolicies& policies, direction dir);
    // The rule by which a pod reaches itself through a service: an index into rules(), for as long
    // as somebody has it.
    std::shared_ptr<const uint32_t> self_rule();

    // Those that bits in use belong to, each at its place as long as it has some: after sweep().
    const PartList<PlanRule>& rules() const { return rules_; }

    // Makes the bits' peers those of changed identities. Bits of named ports on egress are
    // made anew when they are asked for next.
    void follow(const IdentityChanges& changes);
    void sweep();

private:
    using BitKey = std::pair<RulePointer, std::vector<PortSpan>>;
    struct CachedPeers {
        RuleSource source;
        std::shared_ptr<PeerSet> set;
    };

    std::shared_ptr<const PeerSet> peers(const RuleSource& source);
    void follow(const IdentityChanges& changes, const CachedPeers& peers) const;
    void sweep_rules(const std::vector<bool>& used);
    void add_peer(const PolicyPeer& peer, const std::string& own_namespace, PeerSet& set,
                  std::set<std::string>& keys);
    void add_nodes(const Selector& selector, PeerSet& set, std::set<std::string>& keys) const;
    std::vector<RuleBit> named_bits(const RuleBit& model, const PolicyRule& rule);
    // The bit without its ports.
    RuleBit make_bit(const RuleSource& source);
    uint32_t add_rule(const RuleSource& source);
    uint32_t intern(PlanRule rule);
    RuleBitPointer finish(RuleBit bit) const;

    const World& world_;
    Identities& identities_;
    PartList<PlanRule> rules_;
    std::unordered_map<std::string, uint32_t> rule_numbers_;
    std::vector<uint32_t> free_rules_;
    std::unordered_map<RulePointer, CachedPeers> peers_;
    std::map<BitKey, RuleBitPointer> ingress_;
    std::unordered_map<RulePointer, std::vector<RuleBitPointer>> egress_;
    std::vector<RuleBitPointer> isolations_;
    std::weak_ptr<const uint32_t> self_;
};

} // namespace ebpfd
