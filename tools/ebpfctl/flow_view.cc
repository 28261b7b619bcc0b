// SPDX-License-Identifier: Apache-2.0
#include "ebpfctl/flow_view.h"

#include "model/names.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <bit>
#include <cmath>
#include <fmt/format.h>
#include <netinet/in.h>

namespace ebpfd::ctl {
namespace {

Json side(const PeerNames& names, const IpAddress& address, uint8_t protocol, __be16 port)
{
    Json fields = peer_fields(names, address);
    fields["port"] = has_ports(protocol) ? ntohs(port) : 0;
    return fields;
}

Json traffic(const flow& entry, direction dir)
{
    return {{"packets", entry.packets[dir]}, {"bytes", entry.bytes[dir]}};
}

std::string interface_of(const std::vector<LocalEndpoint>& locals, uint32_t ifindex)
{
    auto found = std::ranges::find(locals, ifindex, &LocalEndpoint::ifindex);
    return found == locals.end() ? "" : found->interface;
}

} // namespace

std::string flow_id(const flow_key& key)
{
    uint64_t hash = 0xcbf29ce484222325; // FNV-1a
    for (const auto byte : std::bit_cast<std::array<uint8_t, sizeof(key)>>(key))
        hash = (hash ^ byte) * 0x100000001b3;
    return fmt::format("{:016x}", hash);
}

Json flow_row(const FlowNames& names, const flow_key& key, const flow& entry)
{
    Json pod = side(names.peers, address_of(entry.pod), key.protocol, key.pod_port);
    Json peer = side(names.peers, address_of(key.peer), key.protocol, key.peer_port);
    bool outgoing = entry.direction == DIRECTION_EGRESS;
    Json row = {
        {"verdict", verdict_name(entry.verdict)},       {"reason", reason_name(entry.reason)},
        {"direction", direction_name(entry.direction)}, {"source", outgoing ? pod : peer},
        {"destination", outgoing ? peer : pod},         {"protocol", protocol_name(key.protocol)}};
    row.update(rule_fields(names.rules, entry.rule));
    row["enforced"] = enforced_rule(names.rules, entry.enforced_rule);
    row["state"] = flow_state_name(entry.state);
    row["packets"] = entry.packets[0] + entry.packets[1];
    row["bytes"] = entry.bytes[0] + entry.bytes[1];
    row["ingress"] = traffic(entry, DIRECTION_INGRESS);
    row["egress"] = traffic(entry, DIRECTION_EGRESS);
    row["generation"] = entry.generation;
    row["interface"] = interface_of(names.locals, key.ifindex);
    row["opened"] = names.now.text_of(entry.opened_ns);
    row["id"] = flow_id(key);
    row["idle_seconds"] = std::round(names.now.seconds_since(entry.seen_ns) * 1000) / 1000;
    return row;
}

} // namespace ebpfd::ctl
