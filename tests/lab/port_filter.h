// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

namespace lab {

// Has a packet socket hear only frames of this protocol to this destination port, over IPv4 without
// options or IPv6 without extension headers.
bool hear_only(int fd, uint16_t port, uint8_t protocol);

} // namespace lab
