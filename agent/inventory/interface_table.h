// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "model/address.h"

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

// What rtnetlink says of this network namespace and of the far ends of its interfaces:
// plain data.
namespace ebpfd {

// An address as an interface has it: the same address may stand there with two prefixes.
struct AssignedAddress {
    IpAddress address;
    uint8_t prefix = 0; // as its family counts it
    auto operator<=>(const AssignedAddress&) const = default;
};

struct Link {
    uint32_t ifindex = 0;
    std::string name;
    std::string kind; // "veth", "bridge" …; empty: hardware or loopback
    bool up = false;
    bool loopback = false;
    uint32_t master = 0; // bridge, bond or VRF it belongs to; 0: none
    uint32_t peer = 0; // IFLA_LINK: of a veth, the other end's ifindex in the other end's namespace
    // Our number of the namespace of peer, if that is not ours; -1: it has no number (any more).
    std::optional<int32_t> peer_nsid;
    std::set<AssignedAddress> peer_addresses; // of the other end, if that is elsewhere

    bool operator==(const Link&) const = default;
    // Whether it is one end of a pair.
    bool is_paired() const { return kind == "veth" || kind == "netkit"; }
    // Whether the other end lies in a namespace whose addresses can be asked for.
    bool has_distant_peer() const;
};

struct OwnAddress {
    uint32_t ifindex = 0;
    AssignedAddress assigned;
    auto operator<=>(const OwnAddress&) const = default;
};

// A route of the main table to one address, straight out of an interface, with no gateway.
struct HostRoute {
    IpAddress destination;
    uint32_t metric = 0;
    uint32_t ifindex = 0;
    auto operator<=>(const HostRoute&) const = default;
};

struct InterfaceTable {
    std::map<uint32_t, Link> links; // by ifindex
    std::set<OwnAddress> addresses; // of this namespace, loopback's included
    std::set<HostRoute> routes;

    bool operator==(const InterfaceTable&) const = default;
};

// Interfaces that have gone, and the addresses that their far ends had; by ifindex.
using GoneInterfaces = std::map<uint32_t, std::set<IpAddress>>;

} // namespace ebpfd
