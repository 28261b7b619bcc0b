// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "model/plan.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace ebpfd {

// A destination as an egress rule set sees it. identity: of the pod that owns the address.
struct Destination {
    IpAddress address;
    std::optional<uint32_t> identity;
    Protocol protocol = Protocol::tcp;
    uint16_t port = 0;
};

// How a connection comes through a rule set, by bits; a rule that decides is the last one.
struct Walk {
    std::optional<uint32_t> rule;    // nothing: none decides, which allows
    std::optional<uint32_t> watcher; // the first one met that belongs to a dry-run policy
};

// Classifies against one rule set as the datapath does. The rule set must outlive it.
class Judge {
public:
    explicit Judge(const PlanRuleset& ruleset);
    // All rules that match: those that have the peer and the port.
    Bitmap matching(const Destination& destination) const;
    Bitmap with_peer(const IpAddress& address, std::optional<uint32_t> identity) const;
    Bitmap with_port(Protocol protocol, uint16_t port) const;
    // By those of these rules that are in force: without a watcher.
    Walk enforce(const Bitmap& matching) const;
    // By all of them.
    Walk rehearse(const Bitmap& matching) const;
    // The rules whose peers include the identity; of a service port, all that match. nullptr: none.
    const Bitmap* peer_row(uint32_t identity) const;
    // Of a service port, what a rehearsal meets. nullptr: none.
    const Bitmap* rehearsed_row(uint32_t service) const;

private:
    const Bitmap* cidr_row(const IpAddress& address) const;
    const Bitmap* port_row(Protocol protocol, uint16_t port) const;

    const PlanRuleset& ruleset_;
    // For each entry, the one around it, as index + 1; 0: none.
    std::vector<size_t> cidr_parents_;
    std::vector<size_t> port_parents_;
};

} // namespace ebpfd
