// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

namespace ebpfd {

// Nanoseconds of the machine's CLOCK_MONOTONIC, as programs in the kernel read it. In a time
// namespace, as a container may have, the process's own clock of that name shows another time.
uint64_t machine_monotonic_ns();
// Nanoseconds since 1970. Anybody may set it: for what is printed.
int64_t wall_clock_ns();
// wall_clock_ns() less machine_monotonic_ns(): makes a time since 1970 of one of the kernel's.
int64_t clock_offset_ns();

} // namespace ebpfd
