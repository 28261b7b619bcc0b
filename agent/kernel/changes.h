// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "kernel/applied.h"
#include "kernel/map.h"

namespace ebpfd {

// What is to be written before the generation flips, and what is to be done after it.
struct Changes {
    Rows<uint32_t, rule_info> rules;
    Rows<uint32_t, ruleset> rulesets;
    Rows<peer_key, bitmap> peers;
    Rows<cidr_key, bitmap> cidrs;
    Rows<port_key, bitmap> ports;
    Rows<address_key, identity_slots> addresses;
    Rows<service_key, identity_slots> services;
    Rows<uint32_t, endpoint> endpoints;
    Rows<uint32_t, endpoint> flipped; // of these, what they are to be once the policy is in force
    Rows<uint32_t, endpoint_name> names;

    std::vector<uint32_t> new_rules;   // numbers whose hits start at zero
    std::vector<uint32_t> new_indexes; // of endpoints whose counters start at zero
    size_t new_addresses = 0;
    size_t new_services = 0;
    size_t new_endpoints = 0;
    std::vector<uint32_t> other_pods; // interfaces whose flows belong to another pod
    std::vector<uint32_t> gone;       // interfaces to detach from

    Retirement obsolete; // what the flip leaves behind

    // Entries written and to be erased.
    uint32_t count() const;
    // Whether any packet may be judged differently; else only descriptions changed.
    bool flips() const;
    // What is to be taken back if the flip never comes.
    Retirement undo() const;
};

// parity: the slots in force; the others are filled. Both sides are settled: equal slots.
Changes compare(const Applied& current, const Applied& next, uint32_t parity);

// The map's value of an endpoint; parity: the slots in force, the others are the idle ones.
// Addresses have no slots: those of both may send.
endpoint endpoint_value(const EndpointRow& in_force, const EndpointRow& idle, uint32_t parity);

} // namespace ebpfd
