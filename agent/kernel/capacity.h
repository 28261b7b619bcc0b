// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/result.h"
#include "kernel/changes.h"
#include "kernel/datapath.h"
#include "model/plan.h"

#include <string>
#include <vector>

namespace ebpfd {

// The capacity of a map by its name; 0 for maps whose size is no option.
uint32_t table_capacity(const Capacities& capacities, const std::string& map);

// What a change asks of a table: what lies in it now, and what comes on top of it until the
// old is retired.
struct Demand {
    const char* map;
    const char* option; // that raises the capacity
    size_t present;
    size_t added;
    size_t capacity;
};

// Fails for the first table that cannot hold what is asked of it.
Result<void> check_demands(const std::vector<Demand>& demands);

// What the change asks of each table for policy, as large as capacities says.
std::vector<Demand> demands_of(const Applied& current, const Changes& changes,
                               const Capacities& capacities);

// Whether the tables could take the next plan while the other one is in force: what applying it
// would fail for, without a kernel.
Result<void> check_fit(const Plan& in_force, const Plan& next, const Capacities& capacities);

} // namespace ebpfd
