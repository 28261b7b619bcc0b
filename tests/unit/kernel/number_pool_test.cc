// SPDX-License-Identifier: Apache-2.0
#include "kernel/number_pool.h"

#include <gtest/gtest.h>

using ebpfd::NumberPool;

TEST(NumberPool, FreshNumbersComeBeforeFreedOnes)
{
    NumberPool pool(1, 4, {});
    EXPECT_EQ(pool.take(), 1u);
    EXPECT_EQ(pool.take(), 2u);
    pool.give_back(1);
    EXPECT_EQ(pool.take(), 3u);
    EXPECT_EQ(pool.take(), 1u);
    EXPECT_EQ(pool.take(), 4u); // beyond the limit: for the check of capacities to refuse
}

TEST(NumberPool, GapsBetweenTakenNumbersAreFree)
{
    NumberPool pool(0, 4, {1, 3});
    EXPECT_EQ(pool.take(), 0u);
    EXPECT_EQ(pool.take(), 2u);
}
