// SPDX-License-Identifier: Apache-2.0
#include "bench/frame/growth.h"

#include <cmath>
#include <gtest/gtest.h>

using bench::Growth;

TEST(Growth, FindsAFixedPartAndOneForEach)
{
    const auto growth = Growth::fit({{100, 5.3}, {1'000, 8}, {10'000, 35}});
    ASSERT_TRUE(growth);
    EXPECT_NEAR(growth->at(100'000), 305, 1e-6);
    EXPECT_NEAR(growth->error(), 0, 1e-9);
    EXPECT_EQ(growth->text(), "5 + 0.003 n");
}

TEST(Growth, FindsAPartForEachTenfold)
{
    const auto growth = Growth::fit({{1, 10}, {100, 20}, {10'000, 30}, {1'000'000, 40}});
    ASSERT_TRUE(growth);
    EXPECT_NEAR(growth->at(1e8), 50, 1e-6);
    EXPECT_EQ(growth->text(), "10 + 5 log n");
}

TEST(Growth, FindsThatSizesDoNotMatter)
{
    const auto growth = Growth::fit({{1, 71.9}, {10, 73}, {100, 72}, {500, 75}});
    ASSERT_TRUE(growth);
    EXPECT_NEAR(growth->at(1e9), 73, 0.5);
    EXPECT_LT(growth->error(), 0.05);
}

TEST(Growth, FindsAPower)
{
    const auto growth = Growth::fit({{1, 2}, {100, 20}, {10'000, 200}, {1'000'000, 2'000}});
    ASSERT_TRUE(growth);
    EXPECT_NEAR(growth->at(1e8), 20'000, 1e-6);
    EXPECT_EQ(growth->text(), "2 n^0.50");
}

TEST(Growth, OfWhatShrinksGoesOnFlatRatherThanBelowZero)
{
    const auto growth = Growth::fit({{1, 10}, {2, 9}, {3, 8}});
    ASSERT_TRUE(growth);
    EXPECT_GT(growth->at(1'000), 0);
}

TEST(Growth, SaysHowFarPointsLieFromIt)
{
    const auto growth = Growth::fit({{1, 10}, {10, 10}, {100, 20}, {1'000, 10}});
    ASSERT_TRUE(growth);
    EXPECT_GT(growth->error(), 0.2);
    EXPECT_LT(growth->error(), 1);
}

TEST(Growth, NeedsThreeSizesAboveZero)
{
    EXPECT_FALSE(Growth::fit({}));
    EXPECT_FALSE(Growth::fit({{1, 1}, {10, 10}}));
    EXPECT_FALSE(Growth::fit({{1, 1}, {10, 10}, {10, 11}}));
    EXPECT_FALSE(Growth::fit({{0, 1}, {1, 1}, {10, 10}}));
    EXPECT_FALSE(Growth::fit({{1, 0}, {10, 10}, {100, 100}}));
}
