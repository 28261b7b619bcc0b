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
#include <sys/eventfd.h>

namespace ebpfd {
namespace {

// Whether that interface is there: it may have gone, and its number be another's.
bool is_here(uint32_t ifindex, const std::string& name)
{
    return interface_name(ifindex) == name;
}

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
    return std::unique_ptr<Gatekeeper>(
        new Gatekeeper(datapath, std::move(globs), std::move(*links), std::move(wake_up)));
}

Gatekeeper::Gatekeeper(Datapath& datapath, std::vector<std::string> globs, NotificationSocket links,
                       Fd wake_up)
    : datapath_(datapath), globs_(std::move(globs)), links_(std::move(links)),
      wake_up_(std::move(wake_up))
{
    each_present([this](uint32_t ifindex, const auto&) { seen_.insert(ifindex); });
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

Gatekeeper::~Gatekeeper()
{
    thread_.request_stop();
    eventfd_write(wake_up_.get(), 1);
}

void Gatekeeper::each_present(const std::function<void(uint32_t, const std::string&)>& visit) const
{
    auto* all = if_nameindex();
    for (auto* one = all; one != nullptr && one->if_index != 0; ++one)
        if (matches_any(one->if_name, globs_))
            visit(one->if_index, one->if_name);
    if_freenameindex(all);
}

void Gatekeeper::run(const std::stop_token& stop)
{
    if (auto kept = keep_running_privileges(); !kept)
        spdlog::warn("interfaces are closed with more privileges than it takes: {}",
                     kept.error().message);
    std::array<pollfd, 2> wanted{{{links_.fd(), POLLIN, 0}, {wake_up_.get(), POLLIN, 0}}};
    while (!stop.stop_requested()) {
        if (poll(wanted.data(), wanted.size(), -1) < 0 && errno != EINTR) {
            spdlog::error("new interfaces are closed by the main loop alone: {}",
                          fail_errno("wait for interfaces").error().message);
            return;
        }
        const auto received = links_.receive(
            [this](const nlmsghdr& message, std::optional<int32_t>) { take(message); });
        if (!received)
            spdlog::debug("{}", received.error().message);
        else if (*received == NotificationSocket::Received::overrun)
            shut_all();
    }
}

void Gatekeeper::take(const nlmsghdr& message)
{
    const auto parsed = parse_link(message);
    if (!parsed || parsed->link.loopback)
        return;
    const auto& link = parsed->link;
    if (parsed->removed)
        seen_.erase(link.ifindex);
    else if (matches_any(link.name, globs_) && !seen_.contains(link.ifindex) &&
             is_here(link.ifindex, link.name))
        shut(link.ifindex, link.name);
}

// Some may have come, or gone, unnoticed. What is enforced is left alone.
void Gatekeeper::shut_all()
{
    seen_.clear();
    each_present([this](uint32_t ifindex, const std::string& name) { shut(ifindex, name); });
}

void Gatekeeper::shut(uint32_t ifindex, const std::string& name)
{
    seen_.insert(ifindex);
    if (auto shut = datapath_.shut(ifindex); !shut && is_here(ifindex, name))
        spdlog::warn("interface {} is closed by the main loop alone: {}", name,
                     shut.error().message);
}

} // namespace ebpfd
