// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "reference/judge.h"

#include <cstdint>
#include <vector>

namespace property {

// The packet as it stands on the wire: a TCP SYN, a datagram, an ICMP echo request, or any
// other protocol's payload.
std::vector<uint8_t> frame(const reference::Packet& packet);

} // namespace property
