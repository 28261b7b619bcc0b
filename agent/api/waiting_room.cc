// SPDX-License-Identifier: Apache-2.0
#include "api/waiting_room.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <optional>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <utility>

namespace ebpfd {
namespace {

Result<void> watch(int epoll, int fd)
{
    epoll_event event{};
    event.events = EPOLLIN | EPOLLRDHUP;
    event.data.fd = fd;
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0)
        return fail_errno("epoll: add a client");
    return {};
}

// Appends what has arrived; false: there will be no whole request.
bool receive(int fd, std::string& request)
{
    std::array<char, 2048> piece{};
    const ssize_t size = recv(fd, piece.data(), piece.size(), MSG_DONTWAIT);
    if (size < 0)
        return errno == EAGAIN || errno == EINTR;
    request.append(piece.data(), static_cast<size_t>(size));
    return size > 0 && request.size() <= WaitingRoom::REQUEST_BYTES;
}

} // namespace

Result<std::unique_ptr<WaitingRoom>> WaitingRoom::open(std::chrono::milliseconds patience,
                                                       Asked asked)
{
    Fd epoll(epoll_create1(EPOLL_CLOEXEC));
    Fd wake(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!epoll || !wake)
        return fail_errno("open a waiting room");
    if (auto watched = watch(epoll.get(), wake.get()); !watched)
        return std::unexpected(watched.error());
    return std::unique_ptr<WaitingRoom>(
        new WaitingRoom(std::move(epoll), std::move(wake), patience, std::move(asked)));
}

WaitingRoom::WaitingRoom(Fd epoll, Fd wake, std::chrono::milliseconds patience, Asked asked)
    : epoll_(std::move(epoll)), wake_(std::move(wake)), patience_(patience),
      asked_(std::move(asked)), thread_([this] { run(); })
{
}

WaitingRoom::~WaitingRoom()
{
    stopping_ = true;
    wake_up();
    thread_.join();
}

void WaitingRoom::wake_up() const
{
    (void)eventfd_write(wake_.get(), 1);
}

void WaitingRoom::enter(Fd client)
{
    const std::lock_guard lock(mutex_);
    if (clients_.size() == PLACES) {
        by_fd_.erase(clients_.front().fd.get());
        clients_.pop_front();
    }
    const int fd = client.get();
    const bool first = clients_.empty(); // nobody's time runs
    clients_.push_back({std::move(client), Clock::now() + patience_});
    by_fd_[fd] = std::prev(clients_.end());
    if (!watch(epoll_.get(), fd)) {
        by_fd_.erase(fd);
        clients_.pop_back();
    } else if (first) {
        wake_up();
    }
}

void WaitingRoom::run()
{
    std::array<epoll_event, 64> events{};
    for (;;) {
        const int count = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                     milliseconds_left());
        for (int i = 0; i < count; ++i) {
            const int fd = events[static_cast<size_t>(i)].data.fd;
            if (fd != wake_.get())
                read_from(fd);
        }
        if (stopping_)
            return;
        eventfd_t woken = 0;
        (void)eventfd_read(wake_.get(), &woken);
        drop_late();
    }
}

// Until the next client is late; -1: until one comes.
int WaitingRoom::milliseconds_left()
{
    const std::lock_guard lock(mutex_);
    if (clients_.empty())
        return -1;
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(clients_.front().until - Clock::now());
    return static_cast<int>(std::max(left.count(), std::chrono::milliseconds::rep{0}));
}

// A descriptor that was closed and given to another client meanwhile only has nothing to read.
void WaitingRoom::read_from(int fd)
{
    std::optional<Client> ready;
    {
        const std::lock_guard lock(mutex_);
        const auto found = by_fd_.find(fd);
        if (found == by_fd_.end())
            return;
        const auto client = found->second;
        const bool goes_on = receive(fd, client->request);
        const bool whole = client->request.find("\r\n\r\n") != std::string::npos;
        if (goes_on && !whole)
            return;
        (void)epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
        if (whole)
            ready = std::move(*client);
        by_fd_.erase(found);
        clients_.erase(client);
    }
    if (ready)
        asked_(std::move(ready->fd), std::move(ready->request));
}

void WaitingRoom::drop_late()
{
    const std::lock_guard lock(mutex_);
    while (!clients_.empty() && clients_.front().until <= Clock::now()) {
        by_fd_.erase(clients_.front().fd.get());
        clients_.pop_front();
    }
}

} // namespace ebpfd
