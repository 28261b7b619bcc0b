// SPDX-License-Identifier: Apache-2.0
#include "watched_node.h"

#include <algorithm>
#include <chrono>
#include <poll.h>

using namespace ebpfd;

namespace {

IpAddress address(std::string_view text)
{
    auto parsed = IpAddress::parse(text);
    EXPECT_TRUE(parsed) << text;
    return parsed.value_or(IpAddress{});
}

} // namespace

void WatchedNode::SetUp()
{
    auto made = lab::NetNamespace::create("node");
    ASSERT_TRUE(made) << made.error().message;
    node_ = std::move(*made);
}

void WatchedNode::start_watching()
{
    node_->enter([&] {
        auto started = InterfaceWatcher::start();
        ASSERT_TRUE(started) << started.error().message;
        watcher_.emplace(std::move(*started));
    });
    ASSERT_TRUE(watcher_);
}

lab::NetNamespace WatchedNode::make_namespace(std::string_view role)
{
    auto made = lab::NetNamespace::create(role);
    if (!made)
        throw std::runtime_error(made.error().message);
    return std::move(*made);
}

void WatchedNode::ip(const lab::NetNamespace& where, const std::string& batch)
{
    auto done = where.ip(batch);
    EXPECT_TRUE(done) << done.error().message;
}

bool WatchedNode::eventually(const std::function<bool()>& condition)
{
    using Clock = std::chrono::steady_clock;
    const auto deadline = Clock::now() + std::chrono::seconds(10);
    while (!condition()) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
        pollfd waiting{watcher_->fd(), POLLIN, 0};
        if (left.count() <= 0 || poll(&waiting, 1, static_cast<int>(left.count())) <= 0)
            return false;
        auto processed = watcher_->process();
        EXPECT_TRUE(processed) << processed.error().message;
        if (!processed)
            return false;
    }
    return true;
}

void WatchedNode::settle()
{
    pollfd waiting{watcher_->fd(), POLLIN, 0};
    while (poll(&waiting, 1, 0) > 0)
        ASSERT_TRUE(watcher_->process());
}

const Link* WatchedNode::link(std::string_view name) const
{
    for (const auto& [ifindex, one] : table().links)
        if (one.name == name)
            return &one;
    return nullptr;
}

bool WatchedNode::peer_has(std::string_view name, std::string_view text) const
{
    const Link* found = link(name);
    return found &&
           std::ranges::count(found->peer_addresses, address(text), &AssignedAddress::address) > 0;
}

bool WatchedNode::has_own(std::string_view text) const
{
    return std::ranges::any_of(table().addresses, [&](const OwnAddress& own) {
        return own.assigned.address == address(text);
    });
}

bool WatchedNode::has_route(std::string_view destination, std::string_view interface) const
{
    return std::ranges::any_of(table().routes, [&](const HostRoute& route) {
        auto out = table().links.find(route.ifindex);
        return route.destination == address(destination) && out != table().links.end() &&
               out->second.name == interface;
    });
}
