// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ebpfd {

// Nanoseconds since 1970 as "2026-01-31T23:59:59.123456789Z".
std::string rfc3339(int64_t time_ns);

// The reverse: seconds with up to nine digits of a fraction or none, "Z" or an offset such as
// "+02:00"; letters in either case, and a blank for the "T". No value for other text.
std::optional<int64_t> parse_rfc3339(std::string_view text);

} // namespace ebpfd
