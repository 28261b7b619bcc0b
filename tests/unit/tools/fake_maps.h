// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "kernel/pinned.h"

#include <cstring>
#include <functional>

namespace ebpfd::ctl {

// What lies in the fake pinned maps; a test fills what it needs.
struct MapContent {
    datapath_state state{};
    std::vector<MapSummary> summaries;
    std::vector<std::pair<uint32_t, endpoint>> endpoints;
    std::vector<std::pair<uint32_t, endpoint_name>> names;
    std::vector<std::pair<IpAddress, identity_slots>> addresses;
    std::vector<std::pair<service_key, identity_slots>> services;
    std::map<uint32_t, rule_info> rules;
    std::map<uint32_t, ruleset> rulesets;
    std::vector<std::pair<peer_key, bitmap>> peers;
    std::vector<std::pair<cidr_key, bitmap>> cidrs;
    std::vector<std::pair<port_key, bitmap>> ports;
    std::vector<std::pair<flow_key, flow>> flows;
    std::vector<std::pair<flow_key, flow>> pending;
    std::map<uint32_t, endpoint_counters> counters; // by endpoint index
    std::array<counter, DIRECTION_COUNT> closed{};
    std::map<uint32_t, rule_hits> hits;
    ledger losses{};
    std::map<uint32_t, pod_health> healths; // by endpoint index
    std::vector<KernelDrops> kernel_drops;
    DropReasons drop_reasons{{3, "NO_SOCKET"}, {6, "SOCKET_RCVBUFF"}};
    std::vector<std::pair<flow_key, health>> flow_healths;
    std::vector<std::pair<uint64_t, netns_owner>> namespaces;
    std::function<Result<TraceAnswer>(const TraceQuestion&)> trace;
};

class FakeMaps : public PinnedMaps {
public:
    explicit FakeMaps(const MapContent& content) : content_(content) {}

    Result<datapath_state> state() const override { return content_.state; }
    Result<std::vector<MapSummary>> summaries() const override { return content_.summaries; }
    Result<std::vector<std::pair<uint32_t, endpoint>>> endpoints() const override
    {
        return content_.endpoints;
    }
    Result<std::vector<std::pair<uint32_t, endpoint_name>>> endpoint_names() const override
    {
        return content_.names;
    }
    Result<std::vector<std::pair<IpAddress, identity_slots>>> addresses() const override
    {
        return content_.addresses;
    }
    Result<std::vector<std::pair<service_key, identity_slots>>> services() const override
    {
        return content_.services;
    }
    Result<std::map<uint32_t, rule_info>> rules() const override { return content_.rules; }
    Result<ruleset> get_ruleset(uint32_t number) const override
    {
        auto found = content_.rulesets.find(number);
        if (found == content_.rulesets.end())
            return fail(ENOENT, "no such rule set");
        return found->second;
    }
    Result<std::vector<std::pair<uint32_t, ruleset>>> rulesets() const override
    {
        return std::vector<std::pair<uint32_t, ruleset>>(content_.rulesets.begin(),
                                                         content_.rulesets.end());
    }
    Result<std::vector<std::pair<peer_key, bitmap>>> peers() const override
    {
        return content_.peers;
    }
    Result<std::vector<std::pair<cidr_key, bitmap>>> cidrs() const override
    {
        return content_.cidrs;
    }
    Result<std::vector<std::pair<port_key, bitmap>>> ports() const override
    {
        return content_.ports;
    }
    Result<std::vector<std::pair<flow_key, flow>>> flows(bool pending) const override
    {
        auto all = content_.flows;
        if (pending)
            all.insert(all.end(), content_.pending.begin(), content_.pending.end());
        return all;
    }
    Result<endpoint_counters> counters(uint32_t endpoint_index) const override
    {
        auto found = content_.counters.find(endpoint_index);
        return found == content_.counters.end() ? endpoint_counters{} : found->second;
    }
    Result<counter> closed(direction dir) const override { return content_.closed[dir]; }
    Result<rule_hits> hits(uint32_t rule) const override
    {
        auto found = content_.hits.find(rule);
        return found == content_.hits.end() ? rule_hits{} : found->second;
    }
    Result<ledger> losses() const override { return content_.losses; }
    Result<pod_health> health_of_pod(uint32_t endpoint_index) const override
    {
        auto found = content_.healths.find(endpoint_index);
        return found == content_.healths.end() ? pod_health{} : found->second;
    }
    Result<std::vector<KernelDrops>> kernel_drops() const override { return content_.kernel_drops; }
    Result<DropReasons> drop_reasons() const override { return content_.drop_reasons; }
    Result<std::optional<health>> health_of_flow(const flow_key& key) const override
    {
        for (const auto& [other, value] : content_.flow_healths)
            if (std::memcmp(&other, &key, sizeof(key)) == 0)
                return value;
        return std::nullopt;
    }
    Result<std::vector<std::pair<uint64_t, netns_owner>>> namespaces() const override
    {
        return content_.namespaces;
    }
    Result<std::vector<ledger>> losses_by_cpu() const override
    {
        return std::vector<ledger>{content_.losses};
    }
    Result<TraceAnswer> trace(const TraceQuestion& question) const override
    {
        return content_.trace(question);
    }

private:
    const MapContent& content_;
};

} // namespace ebpfd::ctl
