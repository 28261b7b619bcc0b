// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "model/plan.h"
#include "model/world.h"

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace ebpfd {

// Whether a rule can decide over any packet, and if not, why.
enum class Fate : uint8_t {
    decides,
    not_on_this_node, // only for pods of other nodes
    selects_no_pod,   // no pod of the inventory, in this direction
    unresolved_port,  // no pod has a port of that name
    no_peer,          // nothing that there is now is among its peers
    not_enforced,     // its peers are of kinds that match nothing yet
    shadowed,         // other rules decide over all that it matches
};
// "decides", "not_on_this_node" …
std::string_view fate_name(Fate fate);
// Whether it decides nowhere.
inline bool is_dead(Fate fate)
{
    return fate > Fate::not_on_this_node;
}

// A rule of a policy, or the isolation by NetworkPolicies: named as in every record.
struct CoveredRule {
    rule_kind kind = RULE_NETWORK_POLICY;
    direction dir = DIRECTION_INGRESS;
    std::string policy_namespace; // of a cluster-wide policy: its kind
    std::string policy;           // of an isolation: the policies, comma-separated
    uint16_t index = 0;
    rule_action action = ACTION_ALLOW;
    tier in_tier = TIER_NETWORK_POLICY;
    uint32_t priority = 0; // of a cluster-wide policy
    bool dry_run = false;
    Origin origin;

    size_t pods = 0; // for which it stands in the rules
    size_t local_pods = 0;
    Fate fate = Fate::selects_no_pod;
    std::set<size_t> shadowed_by; // indexes into Coverage::rules; not all, if they are many

    std::string policy_text() const;
    std::string rule_text() const;
};

// Two rules of cluster-wide policies of one tier and priority that match one packet and differ in
// their action, by index into Coverage::rules; one such pair for two policies.
struct Contradiction {
    size_t decides = 0; // its policy comes first, by name
    size_t loses = 0;
};

struct Coverage {
    std::vector<CoveredRule> rules; // in the order of tiers, and of policies in them
    std::vector<Contradiction> contradictions;
    std::vector<std::string> warnings; // pods of other nodes whose rules do not fit a rule set
};

// Judges all rules by what every pod of the inventory could send and receive, on whatever node it
// runs: exact for what rule sets can tell apart. Rules count as deciding if they decide only over
// packets from a pod to itself, by a family that the cluster does not use, or over a cluster IP
// that stands for others; and those of a rule set that would not fit. The World's policies have
// one key each.
Coverage cover(const World& world);

} // namespace ebpfd
