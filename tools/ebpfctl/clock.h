// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ebpfd::ctl {

// "500ms", "10s", "5m", "1h30m", "2d"; a bare number counts seconds. Nothing for other text
// and for more than a year.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

// Both clocks at one moment, in nanoseconds: maps count time by the monotonic one.
struct Moment {
    uint64_t monotonic = 0;
    uint64_t realtime = 0;

    static Moment now();
    // The monotonic time as RFC 3339 in UTC.
    std::string text_of(uint64_t monotonic_ns) const;
    // From then until this moment; 0 for what lies after it.
    double seconds_since(uint64_t monotonic_ns) const;
};

} // namespace ebpfd::ctl
