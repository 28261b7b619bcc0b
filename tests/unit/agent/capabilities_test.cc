// SPDX-License-Identifier: Apache-2.0
#include "capabilities.h"

#include <cerrno>
#include <gtest/gtest.h>
#include <initializer_list>
#include <linux/capability.h>

namespace ebpfd {
namespace {

uint64_t set(std::initializer_list<int> numbers)
{
    uint64_t out = 0;
    for (const int number : numbers)
        out |= uint64_t{1} << number;
    return out;
}

TEST(Capabilities, NoneIsASentenceThatNamesThemAll)
{
    const auto missing = check_capabilities(0);
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, EPERM);
    EXPECT_EQ(missing.error().message,
              "ebpfd lacks CAP_BPF and CAP_PERFMON and CAP_NET_ADMIN and CAP_NET_BROADCAST: run it "
              "as root, or grant them to it");
}

TEST(Capabilities, SysAdminStandsForThoseThatWereTakenFromIt)
{
    EXPECT_TRUE(check_capabilities(set({CAP_SYS_ADMIN, CAP_NET_ADMIN, CAP_NET_BROADCAST})));
    EXPECT_TRUE(check_capabilities(set({CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN, CAP_NET_BROADCAST})));
    const auto missing = check_capabilities(set({CAP_SYS_ADMIN, CAP_NET_BROADCAST}));
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().message,
              "ebpfd lacks CAP_NET_ADMIN: run it as root, or grant it to it");
}

TEST(Capabilities, RootHasThem)
{
    const auto effective = effective_capabilities();
    ASSERT_TRUE(effective) << effective.error().message;
    EXPECT_TRUE(check_capabilities(*effective));
}

} // namespace
} // namespace ebpfd
