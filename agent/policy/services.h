// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "policy/identities.h"
#include "policy/judge.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ebpfd {

// One port of one cluster IP, and the ready endpoints it stands for.
struct ServicePoint {
    Destination front;                 // never of an identity
    std::vector<Destination> backends; // sorted, with target ports
    std::vector<Destination> kinds;    // of the backends, one for each identity and port
    std::string key;                   // front and backends in full
    uint32_t identity = 0;             // in the plan
};

// What a change of the World comes to, by identity.
struct ServiceChanges {
    std::vector<uint32_t> gone;
    std::vector<uint32_t> fresh;

    bool none() const { return gone.empty() && fresh.empty(); }
};

// In the order of address, protocol and port, without their own identities. Ports without a ready
// endpoint are left out: their cluster IP is judged as it stands.
std::vector<ServicePoint> resolve_services(const World& world, const Identities& identities,
                                           std::vector<std::string>& warnings);

// With identities of their own.
std::vector<ServicePoint> numbered_services(const World& world, Identities& identities,
                                            std::vector<std::string>& warnings);

// Gives them identities, those they had before where they have the same key.
ServiceChanges number_services(const std::vector<ServicePoint>& before,
                               std::vector<ServicePoint>& now, Identities& identities);

// The bits of what a service port meets: an allowing rule if any backend is allowed, else the one
// that denies; empty: no rule decides, which allows. Rules that match the cluster IP as it stands
// match each backend. rehearsed: by all rules, and with the first one of a dry-run policy on the
// way there; else by the rules in force.
Bitmap service_row(const Judge& judge, const PlanRuleset& ruleset, const ServicePoint& service,
                   bool rehearsed);

} // namespace ebpfd
