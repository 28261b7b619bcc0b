// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "model/document.h"
#include "model/objects.h"

#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace ebpfd {

// Whether documents of this kind are for decode_cluster_policy().
bool is_cluster_policy_kind(std::string_view api_version, std::string_view kind);

// The policy, or all that is wrong with the document, in the order of lines. Where a peer has no
// field, which is what an API server leaves of one that it does not know, rules fail closed:
// Accept matches nothing with it, Deny and Pass deny everything.
std::expected<ClusterPolicy, std::vector<FileError>>
decode_cluster_policy(const Document& document);

} // namespace ebpfd
