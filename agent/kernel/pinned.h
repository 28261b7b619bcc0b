// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/result.h"
#include "ebpfd/counter.h"
#include "ebpfd/endpoint.h"
#include "ebpfd/flow.h"
#include "ebpfd/health.h"
#include "ebpfd/identity.h"
#include "ebpfd/ruleset.h"
#include "ebpfd/state.h"
#include "kernel/drop_reasons.h"
#include "model/address.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ebpfd {

struct MapSummary {
    std::string name;
    std::string type; // "hash", "lru_hash", "lpm_trie" …
    uint32_t key_size = 0;
    uint32_t value_size = 0;
    uint32_t entries = 0; // counted; 0 for rings and arrays
    uint32_t capacity = 0;
    uint64_t bytes = 0; // as the kernel accounts it
};

struct TraceQuestion {
    uint32_t ifindex = 0;
    direction dir = DIRECTION_INGRESS;
    IpAddress source;
    IpAddress destination;
    uint8_t protocol = 6;
    uint16_t port = 0; // destination port, host byte order; ignored for ICMP
};

struct TraceAnswer {
    verdict outcome = VERDICT_ALLOW;
    reason why = REASON_NO_POLICY;
    uint32_t rule = 0;          // key of rules(), 0: none
    uint32_t enforced_rule = 0; // as in struct flow
    uint32_t ruleset = 0;
    uint32_t identity = 0; // of the peer
};

// Packets of one pod that the kernel dropped for one reason, of drop_reasons().
struct KernelDrops {
    uint32_t endpoint_index = 0;
    uint32_t reason = 0;
    counter total{};
};

// A reader of the maps pinned below bpffs: works with the agent, and without it.
// Errors carry ENOENT where nothing is pinned, EACCES/EPERM where the caller may not read.
class PinnedMaps {
public:
    static Result<std::unique_ptr<PinnedMaps>> open(const std::string& bpffs);
    virtual ~PinnedMaps() = default;

    virtual Result<datapath_state> state() const = 0;
    virtual Result<std::vector<MapSummary>> summaries() const = 0;
    virtual Result<std::vector<std::pair<uint32_t, endpoint>>> endpoints() const = 0;
    virtual Result<std::vector<std::pair<uint32_t, endpoint_name>>> endpoint_names() const = 0;
    virtual Result<std::vector<std::pair<IpAddress, identity_slots>>> addresses() const = 0;
    virtual Result<std::vector<std::pair<service_key, identity_slots>>> services() const = 0;
    virtual Result<std::map<uint32_t, rule_info>> rules() const = 0;
    virtual Result<ruleset> get_ruleset(uint32_t number) const = 0;
    virtual Result<std::vector<std::pair<uint32_t, ruleset>>> rulesets() const = 0;
    virtual Result<std::vector<std::pair<peer_key, bitmap>>> peers() const = 0;
    virtual Result<std::vector<std::pair<cidr_key, bitmap>>> cidrs() const = 0;
    virtual Result<std::vector<std::pair<port_key, bitmap>>> ports() const = 0;
    // Established flows, and pending ones with pending.
    virtual Result<std::vector<std::pair<flow_key, flow>>> flows(bool pending) const = 0;
    // Sums over all CPUs, of one endpoint index.
    virtual Result<endpoint_counters> counters(uint32_t endpoint_index) const = 0;
    // What interfaces refused while they were closed: nobody knew yet whose they are.
    virtual Result<counter> closed(direction dir) const = 0;
    // What the hooks counted for one endpoint index, all CPUs together; zero without hooks.
    virtual Result<pod_health> health_of_pod(uint32_t endpoint_index) const = 0;
    // Ordered by endpoint index and reason; the bounded map may have lacked room for some, which
    // losses().drops_full counts and health_of_pod() includes.
    virtual Result<std::vector<KernelDrops>> kernel_drops() const = 0;
    // Not from a map: the running kernel's own words. Takes some ten milliseconds.
    virtual Result<DropReasons> drop_reasons() const = 0;
    // Nothing for a flow of which the hooks have seen nothing.
    virtual Result<std::optional<health>> health_of_flow(const flow_key& key) const = 0;
    virtual Result<std::vector<std::pair<uint64_t, netns_owner>>> namespaces() const = 0;
    virtual Result<rule_hits> hits(uint32_t rule) const = 0;
    virtual Result<ledger> losses() const = 0;
    // The same of each possible CPU.
    virtual Result<std::vector<ledger>> losses_by_cpu() const = 0;
    // Asks the loaded program by a test run that leaves no trace in flows, counters or rings.
    virtual Result<TraceAnswer> trace(const TraceQuestion& question) const = 0;
};

} // namespace ebpfd
