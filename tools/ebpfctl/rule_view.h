// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ebpfctl/report.h"
#include "kernel/pinned.h"

#include <cstdint>
#include <map>

namespace ebpfd::ctl {

using Rules = std::map<uint32_t, rule_info>;

// "policy", "rule", "file" and "line" of the rule with that number; "" and 0 where there is
// none. The same fields stand in flows, events, traces and statistics.
Json rule_fields(const Rules& rules, uint32_t number);
// The same of the rule that decided where another one only would; null if there is none.
Json enforced_rule(const Rules& rules, uint32_t number);
// The numbers of the bits that are set.
Json set_bits(const bitmap& bits);
bool bit_is_set(const bitmap& bits, uint32_t bit);

} // namespace ebpfd::ctl
