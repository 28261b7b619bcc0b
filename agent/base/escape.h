// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>

namespace ebpfd {

// Text from outside as it may reach a terminal or a log: control characters (C0, DEL and C1,
// alone or as UTF-8), marks that turn the direction of writing, line separators and backslashes
// come out as \n, \t, \\ or \xNN; the rest is unchanged.
std::string escape_control(std::string_view text);

} // namespace ebpfd
