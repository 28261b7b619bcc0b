// SPDX-License-Identifier: Apache-2.0
#include "gatekeeper.h"

#include "base/interface_name.h"
#include "base/privileges.h"
#include "inventory/locate.h"
#include "inventory/rtnetlink.h"

#include <array>
#include <cerrno>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <string_view>
#include <sys/eventfd.h>
#include <system_error>

namespace ebpfd {
namespace {

constexpr int thread_count = 4;

} // namespace

Result<std::unique_ptr<Gatekeeper>> Gatekeeper::start(Datapath& datapath,
                                                      std::vector<std::string> globs)
{
    constexpr std::array groups{static_cast<int>(RTNLGRP_LINK)};
    auto links = NotificationSocket::open(groups, NotificationSocket::Reach::own);
    if (!links)
        return std::unexpected(links.error());
    Fd wake_up(eventfd(0, EFD_CLOEXEC));
    if (!wake_up)
        return fail_errno("make an eventfd");
    std::unique_ptr<Gatekeeper> made(
        new Gatekeeper(datapath, std::move(globs), std::move(*links), std::move(wake_up)));
    if (auto started = made->start_threads(); !started)
        return std::unexpected(started.error());
    return made;
}

Gatekeeper::Gatekeeper(Datapath& datapath, std::vector<std::string> globs, NotificationSocket links,
                       Fd wake_up)
    : datapath_(datapath), globs_(std::move(globs)), links_(std::move(links)),
      wake_up_(std::move(wake_up))
{
    seen_ = present();
}

Result<void> Gatekeeper::start_threads()
{
    try {
        for (int i = 0; i < thread_count; ++i)
            threads_.emplace_back([this] { run(); });
    } catch (const std::system_error& error) {
        if (threads_.empty())
            return fail("make a thread", Error{error.code().value(), error.what()});
        spdlog::warn("new interfaces are closed by {} threads: {}", threads_.size(), error.what());
    }
    return {};
}

Gatekeeper::~Gatekeeper()
{
    stop_.request_stop();
    eventfd_write(wake_up_.get(), 1); // nobody reads it: all see it
}

std::set<uint32_t> Gatekeeper::present() const
{
    std::set<uint32_t> found;
    auto* all = if_nameindex();
    for (auto* one = all; one != nullptr && one->if_index != 0; ++one)
        if (matches_any(one->if_name, globs_) && one->if_name != std::string_view("lo"))
            found.insert(one->if_index);
    if_freenameindex(all);
    return found;
}

void Gatekeeper::run()
{
    if (auto kept = keep_running_privileges(); !kept)
        spdlog::warn("interfaces are closed with more privileges than it takes: {}",
                     kept.error().message);
    while (const auto newcomer = wait_for_one())
        shut(*newcomer);
}

// Nothing at the end. Whoever has the turn listens; the others are closing, or wait for the turn.
std::optional<Gatekeeper::Newcomer> Gatekeeper::wait_for_one()
{
    const std::lock_guard lock(turn_);
    while (newcomers_.empty()) {
        if (stop_.stop_requested())
            return {};
        if (auto received = receive(); !received) {
            spdlog::error("new interfaces are closed by the main loop alone: {}",
                          received.error().message);
            return {};
        }
    }
    const Newcomer newcomer = newcomers_.front();
    newcomers_.pop_front();
    return newcomer;
}

Result<void> Gatekeeper::receive()
{
    std::array<pollfd, 2> wanted{{{links_.fd(), POLLIN, 0}, {wake_up_.get(), POLLIN, 0}}};
    if (poll(wanted.data(), wanted.size(), -1) < 0 && errno != EINTR)
        return fail_errno("wait for interfaces");
    const auto received =
        links_.receive([this](const nlmsghdr& message, std::optional<int32_t>) { take(message); });
    if (!received)
        spdlog::debug("{}", received.error().message);
    else if (*received == NotificationSocket::Received::overrun)
        take_all_present();
    return {};
}

void Gatekeeper::take(const nlmsghdr& message)
{
    const auto parsed = parse_link(message);
    if (!parsed || parsed->link.loopback)
        return;
    const auto& link = parsed->link;
    if (parsed->removed || !matches_any(link.name, globs_))
        seen_.erase(link.ifindex);
    else if (seen_.insert(link.ifindex).second)
        newcomers_.push_back({link.ifindex});
}

// Some may have come, or gone, unnoticed. What is enforced is left alone.
void Gatekeeper::take_all_present()
{
    seen_ = present();
    newcomers_.clear();
    for (const uint32_t ifindex : seen_)
        newcomers_.push_back({.ifindex = ifindex, .certain = false});
}

// It may have gone meanwhile, or be called something else.
void Gatekeeper::shut(const Newcomer& newcomer)
{
    const uint32_t ifindex = newcomer.ifindex;
    const auto is_pods = [&] {
        const auto name = interface_name(ifindex);
        return !name.empty() && matches_any(name, globs_);
    };
    if (!is_pods())
        return;
    const auto shut = newcomer.certain ? datapath_.shut_newcomer(ifindex) : datapath_.shut(ifindex);
    if (!shut && is_pods())
        spdlog::warn("interface {} is closed by the main loop alone: {}", interface_name(ifindex),
                     shut.error().message);
}

} // namespace ebpfd
