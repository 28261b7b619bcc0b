// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "analysis/workload.h"
#include "base/result.h"
#include "model/plan.h"
#include "model/world.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace ebpfd {

// A policy for a pod and its rules of one direction, in their order. One of the two is set.
struct AppliedPolicy {
    const NetworkPolicy* policy = nullptr;
    const ClusterPolicy* cluster = nullptr;
    bool dry_run = false; // decides nothing
    const std::vector<PolicyRule>* rules = nullptr;
};

// What a tier does with what none of its rules decides.
enum class Closing : uint8_t {
    next_tier,
    refused, // its policies isolate the pod
    allowed, // the last one
};

struct AppliedTier {
    tier in_tier = TIER_ADMIN;
    std::vector<AppliedPolicy> policies; // in the order in which they decide
    Closing closing = Closing::next_tier;
};

// Ports for which one rule decides.
struct DecidedPorts {
    std::optional<Protocol> protocol; // nothing: protocols without ports, such as ICMP
    PortRange range;
    auto operator<=>(const DecidedPorts&) const = default;
};

// What one rule decides for peers that are alike.
struct Reached {
    std::optional<Workload> workload; // nothing: outside of the cluster
    std::vector<Cidr> blocks;         // outside: in these, and in no narrower ones that there are
    bool elsewhere = false;           // outside: in no block
    size_t pods = 0;                  // of the workload
    bool every_port = false;
    std::vector<DecidedPorts> ports;
    bool allows = true;
    std::optional<PlanRule> rule; // nothing: none decides, which allows
};

struct ExplainedDirection {
    direction dir = DIRECTION_INGRESS;
    std::vector<AppliedTier> tiers; // those that packets can come to
    // By workload, what lies outside last; what isolation refuses is left out.
    std::vector<Reached> decided;
};

struct Explained {
    std::shared_ptr<const Pod> pod;
    bool local = false;
    bool exempt = false; // of the host network, or finished: no policy selects it
    std::vector<ExplainedDirection> directions;
};

// What applies to a pod, on whatever node it runs, and what comes of it for all that could talk
// with it: by its own policies alone, as the peer's side decides too. Nothing: there is no such
// pod. Refers into the World. Fails where compile() would.
Result<std::optional<Explained>> explain(const World& world, const std::string& pod);

} // namespace ebpfd
