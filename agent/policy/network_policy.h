// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "model/document.h"
#include "model/objects.h"

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ebpfd {

// Whether documents of this kind are for decode_network_policy().
bool is_policy_kind(std::string_view api_version, std::string_view kind);

// Whether the kind says what traffic is allowed, yet in a version or language that the agent
// does not enforce: to skip it silently would mislead.
bool is_foreign_policy_kind(std::string_view api_version, std::string_view kind);

// The error of a document in an API group of policies whose kind or version is none of that
// group's: most likely a slip, which must not take a policy out of force. Nothing: it is no such
// document.
std::optional<FileError> misnamed_policy(const Document& document);

// The policy, defaulted and validated as an API server does both; or all that is wrong with
// the document, in the order of lines.
std::expected<NetworkPolicy, std::vector<FileError>>
decode_network_policy(const Document& document);

} // namespace ebpfd
