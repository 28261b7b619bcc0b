// SPDX-License-Identifier: Apache-2.0
#include "kernel/maps.h"

#include "kernel/pins.h"

#include <algorithm>

namespace ebpfd {

namespace {

// Opens one map after the other until one fails.
class Opener {
public:
    Opener(const std::string& folder, uint32_t file_flags, bool next)
        : folder_(folder), file_flags_(file_flags),
          there_(next ? names_in(folder) : std::vector<std::string>{})
    {
    }
    template <class M> Opener& open(M& map, const char* name)
    {
        if (!outcome_)
            return *this;
        if (auto opened = M::open_pinned(folder_, pin_of(name), file_flags_))
            map = std::move(*opened);
        else
            outcome_ = std::unexpected(opened.error());
        return *this;
    }
    Opener& open_flows(FlowTable& table)
    {
        if (!outcome_)
            return *this;
        if (auto opened = FlowTable::open_pinned(folder_))
            table = std::move(*opened);
        else
            outcome_ = std::unexpected(opened.error());
        return *this;
    }
    const Result<void>& outcome() const { return outcome_; }

private:
    std::string pin_of(const std::string& name) const
    {
        const std::string next = name + Pins::NEXT;
        return std::ranges::binary_search(there_, next) ? next : name;
    }

    const std::string& folder_;
    uint32_t file_flags_;
    std::vector<std::string> there_; // sorted; empty where what waits is of no interest
    Result<void> outcome_;
};

} // namespace

Result<Maps> Maps::open(const std::string& folder, uint32_t file_flags, bool next)
{
    Maps maps;
    Opener opener(folder, file_flags, next);
    opener.open(maps.state, "state")
        .open(maps.endpoints, "endpoint_map")
        .open(maps.names, "podname_map")
        .open(maps.addresses, "address_map")
        .open(maps.services, "service_map")
        .open(maps.rulesets, "ruleset_map")
        .open(maps.peers, "peer_map")
        .open(maps.cidrs, "cidr_map")
        .open(maps.ports, "port_map")
        .open(maps.rules, "rule_map")
        .open_flows(maps.flows)
        .open(maps.healths, "health_map")
        .open(maps.pod_healths, "pod_health_map")
        .open(maps.kernel_drops, "kdrop_map")
        .open(maps.namespaces, "netns_map")
        .open(maps.counters, "counter_map")
        .open(maps.closed, "closed_map")
        .open(maps.hits, "rule_hit_map")
        .open(maps.losses, "ledger_map");
    if (!opener.outcome())
        return std::unexpected(opener.outcome().error());
    return maps;
}

} // namespace ebpfd
