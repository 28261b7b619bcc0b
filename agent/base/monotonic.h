// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

namespace ebpfd {

// Nanoseconds of the machine's CLOCK_MONOTONIC, as programs in the kernel read it. In a time
// namespace, as a container may have, the process's own clock of that name shows another time.
uint64_t machine_monotonic_ns();

} // namespace ebpfd
