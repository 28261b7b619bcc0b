// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ebpfd/verdict.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fuzz {

struct SentFrame {
    direction dir = DIRECTION_INGRESS;
    std::vector<uint8_t> bytes;
};

inline constexpr size_t frame_max = 1600;
inline constexpr size_t frames_max = 3;

// Whether the kernel takes it for a test run: something behind the Ethernet header, and since Linux
// 6.17 a whole IP header where that names one.
inline bool is_runnable(std::string_view frame)
{
    if (frame.size() < 15)
        return false;
    const std::string_view protocol = frame.substr(12, 2);
    if (protocol == std::string_view("\x08\x00", 2))
        return frame.size() >= 14 + 20;
    return protocol != "\x86\xdd" || frame.size() >= 14 + 40;
}

// An input as frames: direction, length in two bytes, the frame, and again. What cannot be
// run is left out; the last one may be cut.
inline std::vector<SentFrame> frames_of(std::string_view input)
{
    std::vector<SentFrame> frames;
    while (input.size() > 3 && frames.size() < frames_max) {
        const auto high = static_cast<uint8_t>(input[1]);
        const auto low = static_cast<uint8_t>(input[2]);
        const std::string_view bytes =
            input.substr(3, std::min<size_t>(frame_max, size_t{high} << 8 | low));
        if (is_runnable(bytes))
            frames.push_back({input[0] & 1 ? DIRECTION_EGRESS : DIRECTION_INGRESS,
                              {bytes.begin(), bytes.end()}});
        input.remove_prefix(3 + bytes.size());
    }
    return frames;
}

// The reverse.
inline std::string input_of(const std::vector<SentFrame>& frames)
{
    std::string input;
    for (const SentFrame& frame : frames) {
        input +=
            {static_cast<char>(frame.dir == DIRECTION_EGRESS),
             static_cast<char>(frame.bytes.size() >> 8), static_cast<char>(frame.bytes.size())};
        input.append(frame.bytes.begin(), frame.bytes.end());
    }
    return input;
}

} // namespace fuzz
