// SPDX-License-Identifier: Apache-2.0
#include "source/looked_at.h"

#include <future>
#include <gtest/gtest.h>
#include <optional>

namespace ebpfd {
namespace {

using namespace std::chrono_literals;

TEST(LookedAt, ALongLookIsToldAndItsEnd)
{
    LookedAt place;
    const std::stop_source nobody;
    std::optional<LookedAt::Look> look;
    look.emplace(&place, "/slow");
    const auto told = place.wait_for_long(nobody.get_token(), 1ms);
    ASSERT_TRUE(told);
    EXPECT_EQ(told->folder, "/slow");
    auto ended =
        std::async(std::launch::async, [&] { place.wait_for_end(*told, nobody.get_token()); });
    EXPECT_EQ(ended.wait_for(50ms), std::future_status::timeout);
    look.emplace(&place, "/next");
    ended.get();
    place.wait_for_end(*told, nobody.get_token()); // it had ended before this was asked
    EXPECT_EQ(place.wait_for_long(nobody.get_token(), 1ms)->folder, "/next");
}

TEST(LookedAt, ShortOnesAndNoneAreNot)
{
    LookedAt place;
    std::stop_source end;
    auto told =
        std::async(std::launch::async, [&] { return place.wait_for_long(end.get_token(), 500ms); });
    const auto until = std::chrono::steady_clock::now() + 1500ms;
    while (std::chrono::steady_clock::now() < until)
        const LookedAt::Look look(&place, "/quick");
    end.request_stop();
    EXPECT_FALSE(told.get());
}

} // namespace
} // namespace ebpfd
