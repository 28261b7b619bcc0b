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
    EXPECT_EQ(place.wait_for_long(nobody.get_token(), 1ms), "/slow");
    auto ended = std::async(std::launch::async, [&] { place.wait_for_end(nobody.get_token()); });
    while (ended.wait_for(1ms) != std::future_status::ready)
        look.emplace(&place, "/next"); // once it waits, this is the end
    EXPECT_EQ(place.wait_for_long(nobody.get_token(), 1ms), "/next");
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
    EXPECT_EQ(told.get(), std::nullopt);
}

} // namespace
} // namespace ebpfd
