// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "system/objects.h"

#include <array>
#include <cstdint>
#include <vector>

namespace system_test {

// Two kinds of pods of the namespace ops, by their label app, each with a UDP port of its own that
// the other one may not use.
enum Kind : uint8_t { red, blue };
inline constexpr std::array<uint16_t, 2> port_of{9001, 9002};
inline constexpr std::array<const char*, 2> name_of_kind{"red", "blue"};

// Each of four streams is judged at one end alone: api takes all that a pod's own rules let out,
// db looks who it is; web sends all, to be judged by the pod's rules, and scan by whom it sends to.
std::vector<PolicyFile> policies_of_kinds();

} // namespace system_test
