// SPDX-License-Identifier: Apache-2.0
#include "observe/bounded_totals.h"

#include <gtest/gtest.h>

namespace ebpfd {
namespace {

TEST(Increases, AreWhatWasAddedSinceTheLastReading)
{
    Increases<2> increases;
    EXPECT_EQ(increases.since_last(1, {5, 7}), (Counts<2>{5, 7}));
    EXPECT_EQ(increases.since_last(1, {6, 7}), (Counts<2>{1, 0}));
    EXPECT_EQ(increases.since_last(2, {1, 1}), (Counts<2>{1, 1}));
}

TEST(Increases, ASourceThatStartsAnewTakesNothingBack)
{
    Increases<1> increases;
    (void)increases.since_last(1, {9});
    EXPECT_EQ(increases.since_last(1, {2}), Counts<1>{2});
    increases.forget(1);
    EXPECT_EQ(increases.since_last(1, {3}), Counts<1>{3});
}

TEST(BoundedTotals, WhoFindsNoPlaceIsSummedUpAndCountedOnce)
{
    BoundedTotals<1> totals(1);
    totals.add({"a"}, {1});
    totals.add({"b"}, {2});
    totals.add({"b"}, {2});
    totals.add({"c"}, {3});
    EXPECT_EQ(totals.series().size(), 1u);
    EXPECT_EQ(totals.overflow(), Counts<1>{7});
    EXPECT_EQ(totals.dropped(), 2u);
}

TEST(BoundedTotals, AFreePlaceIsTakenFromZero)
{
    BoundedTotals<1> totals(1);
    totals.add({"a"}, {1});
    totals.add({"b"}, {2});
    totals.retain({{"b"}});
    EXPECT_TRUE(totals.series().empty());
    totals.add({"b"}, {5});
    EXPECT_EQ(totals.series().at({"b"}), Counts<1>{5});
    EXPECT_EQ(totals.overflow(), Counts<1>{2});
}

} // namespace
} // namespace ebpfd
