// SPDX-License-Identifier: Apache-2.0
#include "rescan_desk.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <thread>

namespace ebpfd {
namespace {

using namespace std::chrono_literals;

bool readable(int fd, int timeout_ms)
{
    pollfd wanted{.fd = fd, .events = POLLIN, .revents = 0};
    return poll(&wanted, 1, timeout_ms) > 0;
}

TEST(RescanDesk, WhoAsksWaitsForTheEnd)
{
    RescanDesk desk;
    bool done = false;
    std::thread asking([&] { done = desk.ask(10s); });
    ASSERT_TRUE(readable(desk.fd(), 10'000));
    auto promises = desk.take();
    ASSERT_EQ(promises.size(), 1u);
    EXPECT_FALSE(readable(desk.fd(), 0));
    promises[0].set_value();
    asking.join();
    EXPECT_TRUE(done);
}

TEST(RescanDesk, TimeRunsOut)
{
    RescanDesk desk;
    EXPECT_FALSE(desk.ask(1ms));
    desk.take()[0].set_value(); // nobody waits any more
}

} // namespace
} // namespace ebpfd
