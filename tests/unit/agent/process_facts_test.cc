// SPDX-License-Identifier: Apache-2.0
#include "base/fd.h"
#include "process_facts.h"

#include <ctime>
#include <fcntl.h>
#include <gtest/gtest.h>

namespace ebpfd {
namespace {

TEST(ProcessFacts, TellThisProcess)
{
    const auto before = process_facts();
    const Fd one(open("/dev/null", O_RDONLY | O_CLOEXEC));
    const auto now = process_facts();
    EXPECT_EQ(now.open_fds, before.open_fds + 1);
    EXPECT_GE(now.max_fds, now.open_fds);
    EXPECT_GT(now.resident_bytes, 1u << 20);
    EXPECT_GE(now.virtual_bytes, now.resident_bytes);
    const auto wall = static_cast<double>(std::time(nullptr));
    EXPECT_LE(now.start_time_seconds, wall + 2);
    EXPECT_GE(now.start_time_seconds, wall - 3600);
}

TEST(ProcessFacts, CpuTimeRises)
{
    const double before = process_facts().cpu_seconds;
    const std::clock_t end = std::clock() + CLOCKS_PER_SEC / 10;
    while (std::clock() < end) {
    }
    EXPECT_GE(process_facts().cpu_seconds, before + 0.05);
}

} // namespace
} // namespace ebpfd
