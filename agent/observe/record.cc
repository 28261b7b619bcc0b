// SPDX-License-Identifier: Apache-2.0
#include "observe/record.h"

#include "base/rfc3339.h"
#include "model/names.h"

#include <algorithm>
#include <arpa/inet.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace ebpfd {
namespace {

using Json = nlohmann::ordered_json;

template <class Map, class Key> typename Map::mapped_type look_up(const Map& map, const Key& key)
{
    const auto found = map.find(key);
    return found == map.end() ? nullptr : found->second;
}

Json to_json(const Party& party)
{
    return {{"namespace", party.name ? party.name->pod_namespace : ""},
            {"pod", party.name ? party.name->pod : ""},
            {"ip", party.address.text()},
            {"port", party.port}};
}

Json counts(const event& raw, direction dir)
{
    return {{"packets", raw.packets[dir]}, {"bytes", raw.bytes[dir]}};
}

// A moment on the datapath's clock as text; empty for 0.
std::string moment(const AttributedEvent& record, uint64_t raw_ns)
{
    const uint64_t offset = static_cast<uint64_t>(record.time_ns) - record.raw.time_ns;
    return raw_ns == 0 ? "" : rfc3339(static_cast<int64_t>(raw_ns + offset));
}

Json tcp(const event& raw)
{
    if (raw.key.protocol != IPPROTO_TCP)
        return nullptr;
    return {{"flags_ingress", tcp_flag_names(raw.tcp_flags[DIRECTION_INGRESS])},
            {"flags_egress", tcp_flag_names(raw.tcp_flags[DIRECTION_EGRESS])},
            {"state", tcp_state_name(raw.health.tcp_state)},
            {"srtt_us", raw.health.srtt_us},
            {"connect_us", raw.health.connect_us},
            {"retransmissions", raw.health.retransmissions},
            {"resets_sent", raw.health.resets_sent},
            {"resets_received", raw.health.resets_received}};
}

// Reasons of the kernel's subsystems have no word.
std::string drop_reason(const AttributedEvent& record)
{
    const uint32_t number = record.raw.health.drop_reason;
    if (record.drop_reason)
        return *record.drop_reason;
    return number == 0 ? "" : fmt::format("{:#x}", number);
}

// Whether the record is the datapath's: one of the hooks can be about no flow that was judged.
bool is_judged(const event& raw)
{
    return raw.opened_ns != 0 || raw.type < EVENT_TCP_RETRANSMIT;
}

// The rule that decided where another one only would.
Json rule_in_force(const AttributedEvent& record)
{
    if (!record.enforced_rule)
        return nullptr;
    const RuleName& rule = *record.enforced_rule;
    return {{"policy", rule.policy_text()},
            {"rule", rule.rule_text()},
            {"file", rule.file},
            {"line", rule.line}};
}

Json to_json(const AttributedEvent& record)
{
    const event& raw = record.raw;
    const bool closed = raw.type == EVENT_FLOW_CLOSE;
    const auto [source, destination] = parties_of(record);
    return {{"time", rfc3339(record.time_ns)},
            {"type", event_type_name(raw.type)},
            {"verdict", is_judged(raw) ? verdict_name(raw.verdict) : ""},
            {"reason", is_judged(raw) ? reason_name(raw.reason) : ""},
            {"direction", direction_name(raw.direction)},
            {"source", to_json(source)},
            {"destination", to_json(destination)},
            {"protocol", protocol_name(raw.key.protocol)},
            {"policy", record.rule ? record.rule->policy_text() : ""},
            {"rule", record.rule ? record.rule->rule_text() : ""},
            {"file", record.rule ? record.rule->file : ""},
            {"line", record.rule ? record.rule->line : 0},
            {"enforced", rule_in_force(record)},
            {"state", flow_state_name(raw.state)},
            {"packets", raw.packets[0] + raw.packets[1]},
            {"bytes", raw.bytes[0] + raw.bytes[1]},
            {"ingress", counts(raw, DIRECTION_INGRESS)},
            {"egress", counts(raw, DIRECTION_EGRESS)},
            {"generation", raw.generation},
            {"suppressed", raw.suppressed},
            {"interface", record.pod ? record.pod->interface : ""},
            {"start", moment(record, raw.opened_ns)},
            {"end", closed ? moment(record, raw.seen_ns) : ""},
            {"closed_by", closer_name(raw.closer, raw.direction)},
            {"tcp", tcp(raw)},
            {"kernel_drops", raw.health.drops},
            {"kernel_drop_reason", drop_reason(record)}};
}

} // namespace

AttributedEvent attribute(const event& raw, const Names& names, int64_t clock_offset_ns)
{
    return {.raw = raw,
            // Without a sign, for it is the datapath's word: any sum is a time.
            .time_ns = static_cast<int64_t>(raw.time_ns + static_cast<uint64_t>(clock_offset_ns)),
            .pod = look_up(names.interfaces, raw.key.ifindex),
            .peer = names.addresses.find(address_of(raw.key.peer)),
            .rule = raw.rule == 0 ? nullptr : look_up(names.rules, raw.rule),
            .enforced_rule =
                raw.enforced_rule == 0 ? nullptr : look_up(names.rules, raw.enforced_rule),
            .drop_reason = raw.health.drop_reason == 0
                               ? nullptr
                               : look_up(names.drop_reasons, raw.health.drop_reason)};
}

Parties parties_of(const AttributedEvent& record)
{
    const flow_key& key = record.raw.key;
    const bool ports = has_ports(key.protocol);
    const Party pod{.name = record.pod.get(),
                    .address = address_of(record.raw.pod),
                    .port = ports ? ntohs(key.pod_port) : uint16_t{0}};
    const Party peer{.name = record.peer.get(),
                     .address = address_of(key.peer),
                     .port = ports ? ntohs(key.peer_port) : uint16_t{0}};
    const bool to_pod = record.raw.direction == DIRECTION_INGRESS;
    return to_pod ? Parties{.source = peer, .destination = pod}
                  : Parties{.source = pod, .destination = peer};
}

std::string to_json_line(const AttributedEvent& record)
{
    return to_json(record).dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace ebpfd
