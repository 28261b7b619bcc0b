// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "lab/node.h"

#include <cstdint>
#include <functional>

namespace lab {

struct Flood {
    uint64_t packets;
    uint64_t per_second; // a bound: a busy machine sends fewer
    std::function<Bytes(uint64_t number)> frame;
};

// Sends it from the machine's own interface. Returns how many packets got out of it: where more
// wait for the node than its queue takes, the kernel drops them before anybody sees them.
uint64_t send_flood(const Machine& from, const Flood& flood);

} // namespace lab
