// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "analysis/address_book.h"
#include "analysis/plan_judge.h"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace ebpfd {

// A connection, or the attempt at one, as it was seen at one local pod's interface.
struct Sighting {
    PlanQuestion question;
    uint16_t source_port = 0; // of ICMP queries: the identifier
    bool open = false;        // now
    bool passed = false;      // it was allowed when it was seen
    bool begun = true;        // its first packet was seen: which side opened it is certain
    int64_t seen_ns = 0;      // last, since 1970
};

// The same connection at all the interfaces that it passes on this node.
struct Connection {
    IpAddress source;
    IpAddress destination;
    uint16_t source_port = 0;
    uint16_t destination_port = 0;
    uint8_t protocol = 6;
    std::optional<PlanQuestion> out; // at the source's interface
    std::vector<PlanQuestion> in;    // at the destination's: who is let in anywhere, gets in
    bool open = false;
    bool passed = false; // at all ends where it was seen
    bool begun = true;
    int64_t seen_ns = 0;
};

// Joins what several interfaces saw of one connection, a service's cluster IP and the backend it
// was translated to among them. A refused attempt was seen no further than where it was refused:
// it gets the other side's question as well. Those of open flows stand first in sightings.
std::vector<Connection> join(std::span<const Sighting> sightings, const AddressBook& book);

// What each side of a connection is told by one Plan; nothing: the side is not this node's.
struct Ruling {
    std::optional<PlanDecision> out;
    std::optional<PlanDecision> in;

    bool allows() const { return (!out || out->allows()) && (!in || in->allows()); }
    // The first side that denies it.
    direction denied_at() const
    {
        return out && !out->allows() ? DIRECTION_EGRESS : DIRECTION_INGRESS;
    }
    const std::optional<PlanDecision>& at(direction dir) const
    {
        return dir == DIRECTION_EGRESS ? out : in;
    }
};
Ruling rule_on(const Connection& connection, const PlanJudge& judge);

} // namespace ebpfd
