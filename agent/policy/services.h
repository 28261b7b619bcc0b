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
};

// In the order of address, protocol and port. Ports without a ready endpoint are left out:
// their cluster IP is judged as it stands.
std::vector<ServicePoint> resolve_services(const World& world, const Identities& identities,
                                           std::vector<std::string>& warnings);

// The bit that decides about the service: an allowing rule if any backend is allowed, else the
// one that denies; nothing: no rule matches, which allows. Rules that match the cluster IP as it
// stands match each backend.
std::optional<uint32_t> decide_service(const Judge& judge, const PlanRuleset& ruleset,
                                       const ServicePoint& service);

} // namespace ebpfd
