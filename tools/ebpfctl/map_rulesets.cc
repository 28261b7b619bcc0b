// SPDX-License-Identifier: Apache-2.0
#include "ebpfctl/cell.h"
#include "ebpfctl/local_endpoint.h"
#include "ebpfctl/map_rows.h"
#include "ebpfctl/rule_view.h"
#include "model/names.h"

#include <algorithm>
#include <arpa/inet.h>
#include <fmt/format.h>

namespace ebpfd::ctl {
namespace {

constexpr std::string_view TIERS[TIER_COUNT] = {"admin", "network-policy", "baseline"};

std::string_view tier_name(uint32_t tier)
{
    return tier < TIER_COUNT ? TIERS[tier] : "unknown";
}

// One row for each rule of each rule set.
Result<Json> ruleset_rows(const PinnedMaps& maps)
{
    auto rulesets = maps.rulesets();
    if (!rulesets)
        return std::unexpected(rulesets.error());
    Json rows = Json::array();
    for (const auto& [number, set] : *rulesets)
        for (uint32_t bit = 0; bit < std::min<uint32_t>(set.count, RULES_MAX); bit++)
            rows.push_back(Json{{"ruleset", number},
                                {"bit", bit},
                                {"rule", set.rule[bit].rule},
                                {"action", action_name(set.rule[bit].action)},
                                {"tier", tier_name(set.rule[bit].tier)},
                                {"any_peer", bit_is_set(set.any_peer, bit)},
                                {"any_pod", bit_is_set(set.any_pod, bit)},
                                {"any_port", bit_is_set(set.any_port, bit)}});
    return rows;
}

Result<Json> peer_rows(const PinnedMaps& maps)
{
    auto peers = maps.peers();
    if (!peers)
        return std::unexpected(peers.error());
    Json rows = Json::array();
    for (const auto& [key, bits] : *peers)
        rows.push_back(
            Json{{"ruleset", key.ruleset}, {"identity", key.identity}, {"bits", set_bits(bits)}});
    return rows;
}

Result<Json> cidr_rows(const PinnedMaps& maps)
{
    auto cidrs = maps.cidrs();
    if (!cidrs)
        return std::unexpected(cidrs.error());
    Json rows = Json::array();
    for (const auto& [key, bits] : *cidrs) {
        Cidr cidr;
        std::ranges::copy(key.address, cidr.address.bytes.begin());
        cidr.prefix = static_cast<uint8_t>(key.prefixlen - CIDR_KEY_BASE);
        rows.push_back(
            Json{{"ruleset", key.ruleset}, {"cidr", cidr.text()}, {"bits", set_bits(bits)}});
    }
    return rows;
}

// A prefix of the port as the range that it covers.
Result<Json> port_rows(const PinnedMaps& maps)
{
    auto ports = maps.ports();
    if (!ports)
        return std::unexpected(ports.error());
    Json rows = Json::array();
    for (const auto& [key, bits] : *ports) {
        uint32_t first = ntohs(key.port);
        uint32_t prefix = std::clamp<uint32_t>(key.prefixlen, PORT_KEY_BASE, PORT_KEY_BASE + 16);
        uint32_t last = first | (0xffffU >> (prefix - PORT_KEY_BASE));
        rows.push_back(Json{{"ruleset", key.ruleset},
                            {"protocol", protocol_name(key.protocol)},
                            {"first_port", first},
                            {"last_port", last},
                            {"bits", set_bits(bits)}});
    }
    return rows;
}

Result<Json> rule_rows(const PinnedMaps& maps)
{
    auto rules = maps.rules();
    if (!rules)
        return std::unexpected(rules.error());
    Json rows = Json::array();
    for (const auto& [number, rule] : *rules) {
        Json& row = rows.emplace_back(Json{{"number", number}});
        row.update(rule_fields(*rules, number));
        row["direction"] = direction_name(rule.direction);
        row["action"] = action_name(rule.action);
    }
    return rows;
}

const std::vector<MapView> VIEWS{
    {"ruleset_map",
     {{"RULE SET", "/ruleset"},
      {"BIT", "/bit"},
      {"RULE", "/rule"},
      {"ACTION", "/action"},
      {"TIER", "/tier"},
      {"ANY PEER", "/any_peer"},
      {"ANY POD", "/any_pod"},
      {"ANY PORT", "/any_port"}},
     ruleset_rows},
    {"peer_map",
     {{"RULE SET", "/ruleset"}, {"IDENTITY", "/identity"}, {"BITS", "/bits"}},
     peer_rows},
    {"cidr_map", {{"RULE SET", "/ruleset"}, {"CIDR", "/cidr"}, {"BITS", "/bits"}}, cidr_rows},
    {"port_map",
     {{"RULE SET", "/ruleset"},
      {"PROTOCOL", "/protocol"},
      {"FIRST PORT", "/first_port"},
      {"LAST PORT", "/last_port"},
      {"BITS", "/bits"}},
     port_rows},
    {"rule_map",
     {{"NUMBER", "/number"},
      {"DIRECTION", "/direction"},
      {"ACTION", "/action"},
      {"POLICY", "/policy"},
      {"RULE", "/rule"},
      {"FILE", "", false, place_text}},
     rule_rows},
};

} // namespace

std::span<const MapView> ruleset_views()
{
    return VIEWS;
}

} // namespace ebpfd::ctl
