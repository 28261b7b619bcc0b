// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ebpfd/verdict.h"
#include "model/world.h"

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// What the policies of a world mean for one packet, by linear scans: slow, short, and
// nothing in it is shared with the compiler that it judges.
namespace reference {

// The first packet of a new connection, where it passes one pod's interface.
struct Packet {
    uint32_t ifindex = 0;
    direction dir = DIRECTION_INGRESS;
    ebpfd::IpAddress source;
    ebpfd::IpAddress destination;
    uint8_t protocol = 6;
    uint16_t source_port = 0; // host byte order; both 0 for protocols without ports
    uint16_t destination_port = 0;
    // False: it only claims to be an answer, so that its address proves nothing.
    bool believed = true;
};

struct RuleName {
    std::string policy; // "namespace/name"
    size_t index = 0;   // in the list of its direction
    auto operator<=>(const RuleName&) const = default;
};

struct Judgement {
    bool allow = true;
    reason why = REASON_NO_POLICY;
    // REASON_RULE: the first that matches, in the order of policies' names.
    std::optional<RuleName> rule = {};
    // REASON_DENIED, by default: the policies that select the pod, "namespace/name", sorted.
    std::vector<std::string> isolating = {};
    // REASON_RULE or REASON_DENIED by a rule of a cluster-wide policy, named without a namespace.
    std::optional<RuleName> cluster_rule = {};
    // The first rule met of a dry-run policy, or nothing; of a Judgement, only the names count.
    std::vector<Judgement> watcher = {};
};

// Dry-run policies are judged like any other: without them, what is in force is another world.
// A pod that no policy isolates, and no cluster-wide one has rules for in that direction, is not
// asked further: its reason is REASON_NO_POLICY.
// REASON_SELF is also a pod's way to itself through a service, if no rule allows it anyway. An
// interface that the world does not have counts as one without a pod.
Judgement judge(const ebpfd::World& world, const Packet& packet);

// Whether any policy has a say over the pod in that direction.
bool is_governed(const ebpfd::World& world, const ebpfd::Pod& pod, direction dir);
// Whether the pod sends from an address that is not its own. On the link, and of a family in which
// it has none, only what somebody else is known to have counts.
bool spoofed(const ebpfd::World& world, const Packet& packet, const ebpfd::Pod& pod);
// Whether the world has that address: a pod's, a service's, or the node's.
bool is_known(const ebpfd::World& world, const ebpfd::IpAddress& address);
// Of no use beyond the link, or none at all: what a stack sends before it has an address.
bool is_on_link(const ebpfd::IpAddress& address);

} // namespace reference
