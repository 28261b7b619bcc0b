// SPDX-License-Identifier: Apache-2.0
#include "inventory/filter_watcher.h"

#include "inventory/rtnetlink.h"

#include <array>
#include <linux/rtnetlink.h>
#include <spdlog/spdlog.h>
#include <utility>

namespace ebpfd {

namespace {

// Datagrams a call of take(), so that who changes filters all the time cannot keep the caller.
constexpr int batch_max = 4096;

} // namespace

FilterWatcher::FilterWatcher(NotificationSocket notifications)
    : notifications_(std::move(notifications))
{
}

Result<FilterWatcher> FilterWatcher::start()
{
    constexpr std::array groups{static_cast<int>(RTNLGRP_TC)};
    auto notifications = NotificationSocket::open(groups, NotificationSocket::Reach::own);
    if (!notifications)
        return fail("watch tc filters", notifications.error());
    return FilterWatcher(std::move(*notifications));
}

std::optional<std::set<uint32_t>> FilterWatcher::take()
{
    using Received = NotificationSocket::Received;
    std::set<uint32_t> bereft;
    const auto handle = [&](const nlmsghdr& message, std::optional<int32_t>) {
        if (const auto ifindex = parse_filter_removal(message))
            bereft.insert(*ifindex);
    };
    for (int count = 0; count < batch_max; ++count) {
        const auto received = notifications_.receive(handle);
        if (!received)
            spdlog::debug("{}", received.error().message);
        if (!received || *received == Received::overrun)
            return std::nullopt;
        if (*received == Received::nothing)
            break;
    }
    return bereft;
}

} // namespace ebpfd
