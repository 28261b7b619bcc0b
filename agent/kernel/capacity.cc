// SPDX-License-Identifier: Apache-2.0
#include "kernel/capacity.h"

#include "ebpfd/counter.h"
#include "kernel/flow_table.h"
#include "kernel/numbering.h"

#include <cerrno>
#include <fmt/format.h>
#include <unordered_map>

namespace ebpfd {

namespace {

// The rows that all rule sets together have in one map.
template <class Count> size_t rows_in(const Applied& applied, Count count)
{
    size_t sum = 0;
    for (const auto& entry : applied.rulesets.entries)
        sum += entry.row == nullptr ? 0 : count(*entry.row);
    return sum;
}

} // namespace

uint32_t table_capacity(const Capacities& capacities, const std::string& map)
{
    const std::unordered_map<std::string, uint32_t> by_name{
        {"flow_map", FlowTable::buckets_for(capacities.flows) * FLOW_WAYS},
        {"flow_tag_map", FlowTable::buckets_for(capacities.flows)},
        {"fragment_map", capacities.fragments},
        {"endpoint_map", capacities.endpoints},
        {"podname_map", capacities.endpoints},
        {"health_map", capacities.flows},
        {"pod_health_map", capacities.endpoints},
        {"kdrop_map", capacities.endpoints * 8}, // reasons are few for each pod
        {"netns_map", capacities.endpoints + 1}, // and the node's own
        {"counter_map", capacities.endpoints},
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

std::vector<Demand> demands_of(const Applied& current, const Changes& changes,
                               const Capacities& capacities)
{
    const auto peers = rows_in(current, [](const RulesetRows& rows) { return rows.peers.size(); });
    const auto cidrs = rows_in(current, [](const RulesetRows& rows) { return rows.cidrs.size(); });
    const auto ports = rows_in(current, [](const RulesetRows& rows) { return rows.ports.size(); });
    return {
        {"endpoint_map", "--max-endpoints", current.endpoints.size(), changes.new_endpoints,
         capacities.endpoints},
        // A pod that takes another's interface is counted in a row of its own.
        {"counter_map", "--max-endpoints", current.endpoints.size(), changes.new_indexes.size(),
         capacities.endpoints},
        {"address_map", "--max-addresses", current.addresses.rows->size(), changes.new_addresses,
         capacities.addresses},
        {"service_map", "--max-services", current.services.rows->size(), changes.new_services,
         capacities.services},
        {"ruleset_map", "--max-rulesets", count_of(current.rulesets), changes.rulesets.size(),
         capacities.rulesets},
        {"peer_map", "--max-peers", peers, changes.peers.size(), capacities.peers},
        {"cidr_map", "--max-cidrs", cidrs, changes.cidrs.size(), capacities.cidrs},
        {"port_map", "--max-ports", ports, changes.ports.size(), capacities.ports},
        // Number 0 stands for no rule: one row is never used.
        {"rule_map", "--max-rules", count_of(current.rules), changes.new_rules.size(),
         capacities.rules - size_t{1}},
    };
}

Result<void> check_fit(const Plan& in_force, const Plan& next, const Capacities& capacities)
{
    Applied nothing;
    nothing.free_rules = NumberPool(1, capacities.rules, {}); // 0 stands for no rule
    const auto current = number_plan(in_force, nothing);
    if (!current)
        return std::unexpected(current.error());
    const auto wanted = number_plan(next, *current);
    if (!wanted)
        return std::unexpected(wanted.error());
    return check_demands(demands_of(*current, compare(*current, *wanted, 0), capacities));
}

} // namespace ebpfd
