// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "model/objects.h"
#include "policy/fields.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ebpfd {

// The list of rules of one direction. peers: the name of their peers, "from" or "to".
std::vector<PolicyRule> decode_rules(const Field& list, std::string_view peers,
                                     const std::string& file, FieldErrors& errors);
PolicyPeer decode_peer(const Field& field, FieldErrors& errors);
std::optional<Cidr> decode_cidr(const Field& field, FieldErrors& errors);
PolicyPort decode_port(const Field& field, FieldErrors& errors);
Protocol decode_protocol(const Field& field, FieldErrors& errors);
// 1 to 65535.
std::optional<uint16_t> decode_port_number(const Field& field, FieldErrors& errors);
std::string decode_port_name(const Field& field, FieldErrors& errors);

} // namespace ebpfd
