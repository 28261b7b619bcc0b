// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ebpfd/ruleset.h"

#include <cstddef>
#include <optional>
#include <string_view>

namespace ebpfd {

// In what the kinds and versions of cluster-wide policies differ. They mean the same.
struct Dialect {
    std::string_view api_version;
    std::string_view kind;
    std::string_view accept; // the word for it
    bool has_pass = true;
    bool masked_cidrs = false;    // no bits behind the prefix
    bool both_selectors = false;  // of pods: else the one for namespaces may be missing
    size_t most = 25;             // rules, peers and ports
    std::string_view ports;       // the field
    std::optional<tier> in_tier;  // none: spec.tier says it
    std::string_view only_name{}; // the one name it may have, and then no priority
};

// nullptr: no kind of cluster-wide policy.
const Dialect* find_dialect(std::string_view api_version, std::string_view kind);

} // namespace ebpfd
