// SPDX-License-Identifier: Apache-2.0
#include "source/watcher.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

namespace ebpfd {

namespace {

using Clock = WatchedDirectory::Clock;

Result<void> add_to_epoll(const Fd& epoll, uint32_t events, int fd)
{
    epoll_event event{.events = events, .data = {.fd = fd}};
    if (epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &event) != 0)
        return fail_errno("epoll_ctl");
    return {};
}

} // namespace

Result<std::unique_ptr<DirectoryWatcher>>
DirectoryWatcher::create(const std::vector<std::string>& directories, const Held& held,
                         std::shared_ptr<LookedAt> looked_at)
{
    auto inotify = Inotify::create();
    if (!inotify)
        return std::unexpected(std::move(inotify.error()));
    std::unique_ptr<DirectoryWatcher> watcher(
        new DirectoryWatcher(*std::move(inotify), std::move(looked_at)));
    if (auto ready = watcher->set_up(); !ready)
        return std::unexpected(std::move(ready.error()));
    for (const std::string& path : directories) {
        const auto known = held.find(path);
        watcher->look_at_once(watcher->directories_.emplace_back(
            watcher->directories_.size(), path,
            known == held.end() ? std::nullopt : std::optional(known->second)));
    }
    watcher->set_timer();
    return watcher;
}

Result<void> DirectoryWatcher::set_up()
{
    timer_ = Fd(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
    if (!timer_)
        return fail_errno("timerfd_create");
    epoll_ = Fd(epoll_create1(EPOLL_CLOEXEC));
    if (!epoll_)
        return fail_errno("epoll_create");
    if (auto added = add_to_epoll(epoll_, EPOLLIN, inotify_.fd()); !added)
        return added;
    // Readable at any time, and in need of attention when a mount has come or gone.
    mounts_ = Fd(open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC));
    if (mounts_)
        if (auto added = add_to_epoll(epoll_, EPOLLPRI, mounts_.get()); !added)
            return added;
    return add_to_epoll(epoll_, EPOLLIN, timer_.get());
}

void DirectoryWatcher::look_at_once(WatchedDirectory& directory)
{
    constexpr bool at_once = true;
    const LookedAt::Look look(looked_at_.get(), directory.path());
    directory.rescan(inotify_, Clock::now(), at_once);
}

Result<void> DirectoryWatcher::process()
{
    const Time now = Clock::now();
    auto drained = drain(now);
    for (WatchedDirectory& directory : directories_) {
        const LookedAt::Look look(looked_at_.get(), directory.path());
        if (directory.has_moved())
            directory.schedule_rescan(now + WatchedDirectory::SETTLE);
        if (directory.rescan_is_due(now))
            directory.rescan(inotify_, now, false);
    }
    set_timer();
    return drained;
}

Result<void> DirectoryWatcher::drain(Time now)
{
    const auto lost = inotify_.drain(
        [this, now](const Subscription& subscription, uint32_t mask, const std::string& name) {
            directories_[subscription.directory].on_event(subscription, mask, name, now);
        });
    if (!lost)
        return std::unexpected(lost.error());
    if (*lost)
        for (WatchedDirectory& directory : directories_)
            directory.schedule_rescan(now + WatchedDirectory::SETTLE);
    return {};
}

std::vector<FileChange> DirectoryWatcher::take_changes(bool all)
{
    if (all)
        for (WatchedDirectory& directory : directories_)
            look_at_once(directory);
    // A file that was modified while it was read, or just before, has its event by now: it is
    // read again if it is complete, waited for if not.
    constexpr int most_rounds = 3;
    for (int round = 0; round < most_rounds; ++round) {
        const Time now = Clock::now();
        const auto read_due = [this, now, all](WatchedDirectory& directory) {
            const LookedAt::Look look(looked_at_.get(), directory.path());
            return directory.read_due(now, all);
        };
        if (std::ranges::count_if(directories_, read_due) == 0 || all)
            break;
        (void)drain(Clock::now()); // process() will meet the same error
        for (WatchedDirectory& directory : directories_)
            directory.put_back_waiting();
    }
    std::vector<FileChange> changes;
    for (WatchedDirectory& directory : directories_)
        directory.take_changes(changes);
    set_timer();
    return changes;
}

void DirectoryWatcher::give_again(const std::string& path)
{
    for (WatchedDirectory& directory : directories_)
        if (directory.give_again(path))
            return;
}

// Set to the past for what is due: fd() stays readable until it is taken.
void DirectoryWatcher::set_timer()
{
    std::optional<Time> due;
    for (const WatchedDirectory& directory : directories_)
        if (const auto at = directory.next_due())
            due = due ? std::min(*due, *at) : *at;
    itimerspec timer{};
    if (due) {
        const auto ns = std::max<int64_t>(
            std::chrono::duration_cast<std::chrono::nanoseconds>(due->time_since_epoch()).count(),
            1);
        timer.it_value = {.tv_sec = ns / 1'000'000'000, .tv_nsec = ns % 1'000'000'000};
    }
    timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &timer, nullptr);
}

std::vector<DirectoryState> DirectoryWatcher::directories() const
{
    std::vector<DirectoryState> states;
    for (const WatchedDirectory& directory : directories_)
        states.push_back(directory.state());
    return states;
}

} // namespace ebpfd
