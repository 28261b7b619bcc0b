// SPDX-License-Identifier: Apache-2.0
#include "lab/socket.h"

#include <array>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace lab {
namespace {

bool watch(int epoll, int fd)
{
    epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

int option(int fd, int name)
{
    int value = 0;
    socklen_t length = sizeof(value);
    getsockopt(fd, SOL_SOCKET, name, &value, &length);
    return value;
}

} // namespace

EchoServer::EchoServer()
    : epoll_(epoll_create1(EPOLL_CLOEXEC)),
      thread_([this](const std::stop_token& stop) { loop(stop); })
{
}

EchoServer::~EchoServer()
{
    thread_.request_stop();
    thread_.join();
}

bool EchoServer::serve(const Machine& machine, Transport transport, uint16_t port)
{
    Socket listener = Socket::listen(machine, transport, port);
    if (!listener || !watch(epoll_.get(), listener.fd()))
        return false;
    listeners_.push_back(std::move(listener));
    return true;
}

void EchoServer::loop(const std::stop_token& stop)
{
    std::array<epoll_event, 16> events{};
    while (!stop.stop_requested()) {
        const int count = epoll_wait(epoll_.get(), events.data(), events.size(), 50);
        for (int i = 0; i < count; ++i)
            answer(events.at(static_cast<size_t>(i)).data.fd);
    }
}

void EchoServer::answer(int fd)
{
    if (option(fd, SO_ACCEPTCONN) != 0) {
        const int made = accept4(fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (made >= 0 && !watch(epoll_.get(), made))
            close(made);
        return;
    }
    sockaddr_storage sender{};
    socklen_t size = sizeof(sender);
    auto* address = reinterpret_cast<sockaddr*>(&sender);
    std::array<char, 65536> buffer{};
    const bool stream = option(fd, SO_TYPE) == SOCK_STREAM;
    const ssize_t length = recvfrom(fd, buffer.data(), buffer.size(), 0, address, &size);
    if (length > 0)
        sendto(fd, buffer.data(), static_cast<size_t>(length), MSG_NOSIGNAL,
               stream ? nullptr : address, stream ? 0 : size);
    else if (stream)
        close(fd); // an accepted connection, which nobody else owns
}

} // namespace lab
