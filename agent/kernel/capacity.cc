// SPDX-License-Identifier: Apache-2.0
#include "kernel/capacity.h"

#include "ebpfd/counter.h"

#include <cerrno>
#include <fmt/format.h>
#include <unordered_map>

namespace ebpfd {

uint32_t table_capacity(const Capacities& capacities, const std::string& map)
{
    const std::unordered_map<std::string, uint32_t> by_name{
        {"flow_map", capacities.flows},
        {"pending_map", capacities.pending},
        {"fragment_map", capacities.fragments},
        {"endpoint_map", capacities.endpoints},
        {"podname_map", capacities.endpoints},
        {"health_map", capacities.flows},
        {"pod_health_map", capacities.endpoints},
        {"kdrop_map", capacities.endpoints * 8}, // reasons are few for each pod
        {"netns_map", capacities.endpoints + 1}, // and the node's own
        {"counter_map", capacities.endpoints * COUNTERS_PER_ENDPOINT},
        {"address_map", capacities.addresses},
        {"service_map", capacities.services},
        {"ruleset_map", capacities.rulesets},
        {"peer_map", capacities.peers},
        {"cidr_map", capacities.cidrs},
        {"port_map", capacities.ports},
        {"rule_map", capacities.rules},
        {"rule_hit_map", capacities.rules},
        {"refusal_ring", capacities.refusal_ring},
        {"flow_ring", capacities.flow_ring},
    };
    const auto found = by_name.find(map);
    return found == by_name.end() ? 0 : found->second;
}

Result<void> check_demands(const std::vector<Demand>& demands)
{
    for (const auto& demand : demands) {
        const size_t needed = demand.present + demand.added;
        if (demand.added == 0 || needed <= demand.capacity)
            continue;
        return fail(E2BIG, fmt::format("{} needs {} entries while the change is made ({} in use, "
                                       "{} new) and holds {}: raise {}",
                                       demand.map, needed, demand.present, demand.added,
                                       demand.capacity, demand.option));
    }
    return {};
}

} // namespace ebpfd
