// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ebpfd/counter.h"
#include "ebpfd/endpoint.h"
#include "ebpfd/flow.h"
#include "ebpfd/health.h"
#include "ebpfd/identity.h"
#include "ebpfd/ruleset.h"
#include "ebpfd/state.h"
#include "kernel/flow_table.h"
#include "kernel/map.h"
#include "kernel/per_cpu_array.h"
#include "kernel/per_cpu_hash.h"

namespace ebpfd {

// All maps that are read or written from outside the datapath; who writes them stands in maps/.
struct Maps {
    Map<uint32_t, datapath_state> state;
    Map<uint32_t, endpoint> endpoints;
    Map<uint32_t, endpoint_name> names;
    Map<address_key, identity_slots> addresses;
    Map<service_key, identity_slots> services;
    Map<uint32_t, ruleset> rulesets;
    Map<peer_key, bitmap> peers;
    Map<cidr_key, bitmap> cidrs;
    Map<port_key, bitmap> ports;
    Map<uint32_t, rule_info> rules;
    FlowTable flows;
    Map<flow_key, health> healths;
    PerCpuArray<pod_health> pod_healths;
    PerCpuHash<kernel_drop_key, counter> kernel_drops;
    Map<uint64_t, netns_owner> namespaces;
    PerCpuArray<endpoint_counters> counters;
    PerCpuArray<counter> closed;
    PerCpuArray<rule_hits> hits;
    PerCpuArray<ledger> losses;

    // folder: where they are pinned. file_flags: 0 or BPF_F_RDONLY. next: of those that wait to
    // take a map's place (Pins::NEXT), these and not what they will replace.
    static Result<Maps> open(const std::string& folder, uint32_t file_flags = 0, bool next = false);
};

} // namespace ebpfd
