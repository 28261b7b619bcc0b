// SPDX-License-Identifier: Apache-2.0
#include "base/rfc3339.h"

#include <gtest/gtest.h>

namespace ebpfd {
namespace {

TEST(Rfc3339, WhatIsWrittenIsReadAgain)
{
    for (const int64_t time : {int64_t{0}, int64_t{1}, int64_t{1'767'323'045'678'901'234}})
        EXPECT_EQ(parse_rfc3339(rfc3339(time)), time) << rfc3339(time);
    EXPECT_EQ(rfc3339(1'767'323'045'678'901'234), "2026-01-02T03:04:05.678901234Z");
}

TEST(Rfc3339, OffsetsAndFractionsCount)
{
    const int64_t noon = parse_rfc3339("2026-01-02T12:00:00Z").value();
    EXPECT_EQ(parse_rfc3339("2026-01-02T14:30:00+02:30"), noon);
    EXPECT_EQ(parse_rfc3339("2026-01-02t07:00:00-05:00"), noon);
    EXPECT_EQ(parse_rfc3339("2026-01-02 12:00:00.25z"), noon + 250'000'000);
}

TEST(Rfc3339, OtherTextIsNoTime)
{
    for (const char* bad :
         {"", "5m", "2026-01-02", "2026-01-02T12:00:00", "2026-02-30T12:00:00Z",
          "2026-01-02T24:00:00Z", "2026-01-02T12:61:00Z", "2026-01-02T12:00:00.Z",
          "2026-01-02T12:00:00.1234567890Z", "2026-01-02T12:00:00+2:00", "2026-01-02T12:00:00Zz",
          "9999-01-02T12:00:00Z", "-026-01-02T12:00:00Z", "2026-01-02T-1:00:00Z"})
        EXPECT_FALSE(parse_rfc3339(bad)) << bad;
}

} // namespace
} // namespace ebpfd
