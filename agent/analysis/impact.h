// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "analysis/connection.h"
#include "model/plan.h"

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace ebpfd {

// What decided; lives on without its Plan.
struct Decided {
    reason why = REASON_NO_POLICY;
    std::optional<PlanRule> rule;
};

// Connections between two workloads to one port that a change of policy treats alike.
struct ImpactGroup {
    bool cut = false; // else newly allowed
    Workload source;
    Workload destination;
    uint8_t protocol = 6;
    uint16_t port = 0;
    direction dir = DIRECTION_INGRESS; // in which the change decides: the pod at that end
    Decided before;
    Decided after;
    size_t flows = 0;
    size_t open = 0;
    Connection example; // the one that was seen last
};

struct Impact {
    size_t judged = 0;
    size_t open = 0; // of those judged
    size_t unchanged = 0;
    size_t cut = 0;
    size_t cut_open = 0;
    size_t newly_allowed = 0;
    std::vector<ImpactGroup> groups; // what is cut first, then by flows open and in all
};

// What one Plan in place of the other would do to these connections.
Impact compare_rulings(const Plan& before, const Plan& after,
                       std::span<const Connection> connections, const AddressBook& book);

} // namespace ebpfd
