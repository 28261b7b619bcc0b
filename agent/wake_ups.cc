// SPDX-License-Identifier: Apache-2.0
#include "wake_ups.h"

#include <cerrno>
#include <csignal>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

namespace ebpfd {

Result<Epoll> Epoll::make()
{
    Fd fd(epoll_create1(EPOLL_CLOEXEC));
    return fd ? Result<Epoll>(Epoll(std::move(fd))) : fail_errno("epoll");
}

Result<void> Epoll::add(int fd)
{
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    if (epoll_ctl(fd_.get(), EPOLL_CTL_ADD, fd, &event) != 0)
        return fail_errno("epoll: add a descriptor");
    return {};
}

Result<bool> Epoll::wait(std::optional<std::chrono::milliseconds> timeout)
{
    epoll_event ignored{};
    const int ms = timeout ? static_cast<int>(timeout->count()) : -1;
    const int ready = epoll_wait(fd_.get(), &ignored, 1, ms);
    if (ready < 0 && errno != EINTR)
        return fail_errno("epoll: wait");
    return ready != 0; // interrupted: there may be something
}

Result<Signals> Signals::block()
{
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP})
        sigaddset(&set, signal);
    if (const int code = pthread_sigmask(SIG_BLOCK, &set, nullptr); code != 0)
        return fail_errno("block signals", code);
    Fd fd(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    return fd ? Result<Signals>(Signals(std::move(fd))) : fail_errno("signalfd");
}

std::optional<int> Signals::next()
{
    signalfd_siginfo info{};
    if (read(fd_.get(), &info, sizeof info) != static_cast<ssize_t>(sizeof info))
        return std::nullopt;
    return static_cast<int>(info.ssi_signo);
}

Result<Ticker> Ticker::every(std::chrono::microseconds interval)
{
    constexpr int64_t second = std::micro::den;
    Fd fd(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
    itimerspec spec{};
    spec.it_interval.tv_sec = interval.count() / second;
    spec.it_interval.tv_nsec = interval.count() % second * 1000;
    spec.it_value = spec.it_interval;
    if (!fd || timerfd_settime(fd.get(), 0, &spec, nullptr) != 0)
        return fail_errno("timer");
    return Ticker(std::move(fd));
}

bool Ticker::ticked()
{
    uint64_t count = 0;
    return read(fd_.get(), &count, sizeof count) == static_cast<ssize_t>(sizeof count);
}

} // namespace ebpfd
