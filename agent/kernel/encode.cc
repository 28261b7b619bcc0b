// SPDX-License-Identifier: Apache-2.0
#include "kernel/encode.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cstring>
#include <string_view>

namespace ebpfd {

namespace {

// Copies text that ends in NUL, cut if it is too long.
template <size_t N> void put_text(char (&field)[N], std::string_view text)
{
    const size_t length = std::min(text.size(), N - 1);
    std::memcpy(field, text.data(), length);
    field[length] = '\0';
}

// A list that is too long ends with a whole name, and says that there are more.
template <size_t N> void put_list(char (&field)[N], std::string_view list)
{
    constexpr std::string_view MORE = ",...";
    if (list.size() < N)
        return put_text(field, list);
    const size_t end = list.substr(0, N - MORE.size()).rfind(',');
    put_text(field, end == std::string_view::npos
                        ? std::string(list)
                        : std::string(list.substr(0, end)) + std::string(MORE));
}

// Whether identities can matter: some rule matches neither everyone nor every pod. It does not
// depend on which identities there are, so a rule set keeps its number while they come and go.
bool needs_identities(const PlanRuleset& planned)
{
    for (uint32_t bit = 0; bit < planned.bits.size(); ++bit)
        if (!has_bit(planned.any_peer, bit) && !has_bit(planned.any_pod, bit))
            return true;
    return false;
}

} // namespace

address_key encode_address(const IpAddress& address)
{
    address_key key{};
    std::ranges::copy(address.bytes, key.address);
    return key;
}

service_key encode_service(const PlanService& service)
{
    service_key key{};
    std::ranges::copy(service.address.bytes, key.address);
    key.port = htons(service.port);
    key.protocol = service.protocol;
    return key;
}

bitmap encode_bitmap(const Bitmap& bits)
{
    bitmap encoded{};
    std::ranges::copy(bits, encoded.word);
    return encoded;
}

cidr_key encode_cidr(const Cidr& cidr, uint32_t ruleset_number)
{
    cidr_key key{};
    key.prefixlen = CIDR_KEY_BASE + uint32_t{cidr.prefix};
    key.ruleset = ruleset_number;
    std::ranges::copy(cidr.address.bytes, key.address);
    return key;
}

port_key encode_port(const PlanPort& port, uint32_t ruleset_number)
{
    port_key key{};
    key.prefixlen = PORT_KEY_BASE + uint32_t{port.prefix};
    key.ruleset = ruleset_number;
    key.protocol = port.protocol;
    key.port = htons(port.port);
    return key;
}

rule_info encode_rule(const PlanRule& rule)
{
    rule_info info{};
    info.line = rule.origin.line;
    info.index = rule.index;
    info.kind = static_cast<uint8_t>(rule.kind);
    info.direction = static_cast<uint8_t>(rule.dir);
    info.action = static_cast<uint8_t>(rule.action);
    info.dry_run = rule.dry_run ? 1 : 0;
    put_text(info.policy_namespace, rule.policy_namespace);
    put_list(info.policy, rule.policy);
    put_text(info.file, rule.origin.file);
    return info;
}

ruleset encode_ruleset(const PlanRuleset& planned, const NumberedList<PlanRule, rule_info>& rules)
{
    ruleset encoded{};
    encoded.any_peer = encode_bitmap(planned.any_peer);
    encoded.any_pod = encode_bitmap(planned.any_pod);
    encoded.any_port = encode_bitmap(planned.any_port);
    encoded.watching = encode_bitmap(planned.watching);
    encoded.count = static_cast<uint32_t>(planned.bits.size());
    if (!planned.cidrs.empty())
        encoded.flags |= RULESET_HAS_CIDRS;
    if (!planned.ports.empty())
        encoded.flags |= RULESET_HAS_PORTS;
    if (needs_identities(planned))
        encoded.flags |= RULESET_HAS_PEERS;
    for (uint32_t bit = 0; bit < planned.bits.size(); ++bit)
        encoded.flags |= has_bit(planned.watching, bit) ? RULESET_WATCHES : RULESET_ENFORCES;
    std::ranges::copy(planned.tier_end, encoded.tier_end);
    for (size_t i = 0; i < planned.bits.size(); ++i) {
        encoded.rule[i].rule = rules.entries[planned.bits[i].rule].number;
        encoded.rule[i].action = static_cast<uint8_t>(planned.bits[i].action);
        encoded.rule[i].tier = static_cast<uint8_t>(planned.bits[i].in_tier);
    }
    return encoded;
}

endpoint_name encode_name(const PlanEndpoint& planned, uint32_t index)
{
    endpoint_name name{};
    put_text(name.pod_namespace, planned.pod_namespace);
    put_text(name.pod, planned.pod);
    put_text(name.interface, planned.interface);
    const size_t count = std::min(planned.addresses.size(), std::size(name.address));
    for (size_t i = 0; i < count; ++i)
        std::ranges::copy(planned.addresses[i].bytes, name.address[i]);
    name.index = index;
    return name;
}

} // namespace ebpfd
