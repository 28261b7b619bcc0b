// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include <chrono>
#include <ctime>
#include <fstream>
#include <string>

namespace ebpfd {
namespace {

constexpr int64_t second_ns = 1'000'000'000;

// What this process's clock is ahead; nothing changes it while the process runs.
int64_t namespace_offset_ns()
{
    std::ifstream offsets("/proc/self/timens_offsets"); // missing: no time namespaces
    std::string clock;
    int64_t seconds = 0;
    int64_t nanoseconds = 0;
    while (offsets >> clock >> seconds >> nanoseconds)
        if (clock == "monotonic")
            return seconds * second_ns + nanoseconds;
    return 0;
}

} // namespace

uint64_t machine_monotonic_ns()
{
    static const int64_t offset_ns = namespace_offset_ns();
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<uint64_t>(now.tv_sec * second_ns + now.tv_nsec - offset_ns);
}

int64_t wall_clock_ns()
{
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::nanoseconds(now).count();
}

int64_t clock_offset_ns()
{
    return wall_clock_ns() - static_cast<int64_t>(machine_monotonic_ns());
}

} // namespace ebpfd
