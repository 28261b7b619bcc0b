// SPDX-License-Identifier: Apache-2.0
#include "policy/decode_cluster_rule.h"
#include "policy/decode_rule.h"

namespace ebpfd {

namespace {

std::optional<uint16_t> number_in(const Field& object, std::string_view name, FieldErrors& errors)
{
    const auto field = member(object, name);
    if (!field) {
        errors.add(object, std::string(name) + " is required");
        return std::nullopt;
    }
    return decode_port_number(*field, errors);
}

PortRange decode_range(const Field& range, FieldErrors& errors)
{
    const auto start = number_in(range, "start", errors);
    const auto end = number_in(range, "end", errors);
    if (!start || !end)
        return {};
    if (*end <= *start)
        errors.add(range, "must end above its start, " + std::to_string(*start) + ", ends at " +
                              std::to_string(*end));
    return {*start, *end};
}

// {number: N}, or {range: {start: N, end: N}}.
PortRange decode_destination(const Field& field, FieldErrors& errors)
{
    if (!check_object(field, {"number", "range"}, errors) || !only_member(field, true, errors))
        return {};
    if (const auto range = member(field, "range"))
        return check_object(*range, {"start", "end"}, errors) ? decode_range(*range, errors)
                                                              : PortRange{};
    const uint16_t number = number_in(field, "number", errors).value_or(0);
    return {number, number};
}

// A name without a protocol stands for ports of any.
std::vector<PolicyPort> decode_named(const Field& field, FieldErrors& errors)
{
    if (!text_of(field, errors))
        return {};
    const std::string name = decode_port_name(field, errors);
    return {{Protocol::tcp, name}, {Protocol::udp, name}, {Protocol::sctp, name}};
}

// {tcp: {destinationPort: …}}, the same for udp and sctp, or {destinationNamedPort: NAME}.
std::vector<PolicyPort> decode_protocol_port(const Field& field, FieldErrors& errors)
{
    if (!check_object(field, {"tcp", "udp", "sctp", "destinationNamedPort"}, errors))
        return {};
    const auto only = only_member(field, true, errors);
    if (!only)
        return {};
    if (const auto name = member(field, "destinationNamedPort"))
        return decode_named(*name, errors);
    if (!check_object(*only, {"destinationPort"}, errors))
        return {};
    const auto destination = member(*only, "destinationPort");
    if (!destination) {
        errors.add(*only, "destinationPort is required");
        return {};
    }
    const Protocol protocol = member(field, "udp")    ? Protocol::udp
                              : member(field, "sctp") ? Protocol::sctp
                                                      : Protocol::tcp;
    return {{protocol, decode_destination(*destination, errors)}};
}

Protocol protocol_in(const Field& object, FieldErrors& errors)
{
    const auto field = member(object, "protocol");
    return field ? decode_protocol(*field, errors) : Protocol::tcp;
}

// {portNumber: {protocol, port}}, {portRange: {protocol, start, end}}, or {namedPort: NAME}.
std::vector<PolicyPort> decode_admin_port(const Field& field, FieldErrors& errors)
{
    if (!check_object(field, {"portNumber", "portRange", "namedPort"}, errors))
        return {};
    const auto only = only_member(field, true, errors);
    if (!only)
        return {};
    if (const auto name = member(field, "namedPort"))
        return decode_named(*name, errors);
    if (const auto range = member(field, "portRange")) {
        if (!check_object(*range, {"protocol", "start", "end"}, errors))
            return {};
        return {{protocol_in(*range, errors), decode_range(*range, errors)}};
    }
    if (!check_object(*only, {"protocol", "port"}, errors))
        return {};
    const uint16_t number = number_in(*only, "port", errors).value_or(0);
    return {{protocol_in(*only, errors), PortRange{number, number}}};
}

} // namespace

std::vector<PolicyPort> decode_cluster_port(const Field& field, const Dialect& dialect,
                                            FieldErrors& errors)
{
    return dialect.ports == "ports" ? decode_admin_port(field, errors)
                                    : decode_protocol_port(field, errors);
}

} // namespace ebpfd
