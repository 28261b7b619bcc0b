// SPDX-License-Identifier: Apache-2.0
#include "policy/decode_rule.h"
#include "policy/name_syntax.h"

namespace ebpfd {

namespace {

constexpr std::string_view DIGITS = "0123456789";
constexpr int64_t LAST_PORT = 65535;

void set_range(const Field& port, const std::optional<Field>& end, PolicyPort& result,
               FieldErrors& errors)
{
    const auto first = decode_port_number(port, errors);
    const auto last = end ? decode_port_number(*end, errors) : first;
    if (!first || !last)
        return;
    if (*last < *first)
        errors.add(*end, "must be at least the port, " + std::to_string(*first) + ", is " +
                             std::to_string(*last));
    result.port = PortRange{*first, *last};
}

} // namespace

Protocol decode_protocol(const Field& field, FieldErrors& errors)
{
    const auto name = text_of(field, errors);
    if (name == "UDP")
        return Protocol::udp;
    if (name == "SCTP")
        return Protocol::sctp;
    if (name && *name != "TCP")
        errors.add(field, "must be TCP, UDP or SCTP, is \"" + *name + "\"");
    return Protocol::tcp;
}

std::optional<uint16_t> decode_port_number(const Field& field, FieldErrors& errors)
{
    if (field.value->kind != Value::Kind::integer) {
        errors.add(field, "must be an integer, is " + std::string(kind_with_article(*field.value)));
        return std::nullopt;
    }
    const int64_t number = field.value->integer;
    if (number < 1 || number > LAST_PORT) {
        errors.add(field, "must be 1 to 65535, is " + std::to_string(number));
        return std::nullopt;
    }
    return static_cast<uint16_t>(number);
}

std::string decode_port_name(const Field& field, FieldErrors& errors)
{
    const std::string& name = field.value->string;
    if (!name.empty() && name.find_first_not_of(DIGITS) == std::string::npos)
        errors.add(field, "\"" + name +
                              "\" in quotes is a port's name: to mean the number, write " + name +
                              " without quotes");
    else if (const auto wrong = wrong_port_name(name); !wrong.empty())
        errors.add(field, "port name \"" + name + "\" " + std::string(wrong));
    return name;
}

PolicyPort decode_port(const Field& field, FieldErrors& errors)
{
    PolicyPort result;
    if (!check_object(field, {"endPort", "port", "protocol"}, errors))
        return result;
    if (const auto protocol = member(field, "protocol"))
        result.protocol = decode_protocol(*protocol, errors);
    const auto port = member(field, "port");
    const auto end = member(field, "endPort");
    if (port && port->value->kind == Value::Kind::string) {
        result.port = decode_port_name(*port, errors);
        if (end)
            errors.add(*end, "needs a port that is a number");
    } else if (port) {
        set_range(*port, end, result, errors);
    } else if (end) {
        errors.add(*end, "needs a port beside it");
    }
    return result;
}

} // namespace ebpfd
