// SPDX-License-Identifier: Apache-2.0
#include "bench/frame/samples.h"

#include <gtest/gtest.h>

using bench::Samples;

namespace {

TEST(Samples, QuantilesAreOfTheSortedValues)
{
    Samples samples;
    for (const double value : {5.0, 1.0, 4.0, 2.0, 3.0})
        samples.add(value);
    EXPECT_EQ(samples.at(0), 1);
    EXPECT_EQ(samples.median(), 3);
    EXPECT_EQ(samples.at(0.99), 4); // the largest that 99 % do not exceed, of few: not the max
    EXPECT_EQ(samples.at(1), 5);
    EXPECT_EQ(samples.values().front(), 5); // the order of the rounds stays
}

TEST(Samples, NoneAreZero)
{
    EXPECT_EQ(Samples{}.median(), 0);
}

TEST(Samples, RatioPairsTheRounds)
{
    // The machine was ten times as slow in the second round, and 1.5 is true in each.
    EXPECT_DOUBLE_EQ(bench::ratio(Samples({15, 150, 30}), Samples({10, 100, 20})), 1.5);
    // Of medians 1.5 would be 20 / 20.
    EXPECT_DOUBLE_EQ(bench::ratio(Samples({10, 20, 90}), Samples({20, 40, 9})), 0.5);
}

TEST(Samples, RatioOfDifferentNumbersIsThatOfTheMedians)
{
    EXPECT_DOUBLE_EQ(bench::ratio(Samples({1, 30, 90}), Samples({20})), 1.5);
}

} // namespace
