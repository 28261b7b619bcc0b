// SPDX-License-Identifier: Apache-2.0
#include "ebpfctl/clock.h"

#include <gtest/gtest.h>

namespace ebpfd::ctl {
namespace {

using std::chrono::milliseconds;

TEST(Duration, UnitsAddUp)
{
    EXPECT_EQ(parse_duration("500ms"), milliseconds(500));
    EXPECT_EQ(parse_duration("10s"), milliseconds(10'000));
    EXPECT_EQ(parse_duration("5m"), milliseconds(300'000));
    EXPECT_EQ(parse_duration("1h30m"), milliseconds(5'400'000));
    EXPECT_EQ(parse_duration("2d"), milliseconds(172'800'000));
}

TEST(Duration, BareNumbersCountSeconds)
{
    EXPECT_EQ(parse_duration("10"), milliseconds(10'000));
    EXPECT_EQ(parse_duration("0"), milliseconds(0));
}

TEST(Duration, OtherTextIsRefused)
{
    for (const char* text : {"", "s", "-5s", "5x", "5m3", "1.5s", " 5s", "5 s", "99999999999h",
                             "9223372036854775807d", "367d"})
        EXPECT_FALSE(parse_duration(text)) << text;
}

TEST(Moment, MonotonicTimesReadAsUtc)
{
    Moment now{.monotonic = 1'000'000'000, .realtime = 1'700'000'000'000'000'001};
    EXPECT_EQ(now.text_of(1'000'000'000), "2023-11-14T22:13:20.000000001Z");
    EXPECT_EQ(now.text_of(0), "2023-11-14T22:13:19.000000001Z");
}

TEST(Moment, WhatLiesAheadIsNotAgo)
{
    Moment now{.monotonic = 2'500'000'000};
    EXPECT_DOUBLE_EQ(now.seconds_since(1'000'000'000), 1.5);
    EXPECT_DOUBLE_EQ(now.seconds_since(3'000'000'000), 0);
}

} // namespace
} // namespace ebpfd::ctl
