// SPDX-License-Identifier: Apache-2.0
#include "lab/socket.h"

#include "lab/socket_address.h"

#include <array>
#include <cerrno>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

namespace lab {
namespace {

bool ready(int fd, short events, Milliseconds timeout)
{
    pollfd entry{.fd = fd, .events = events, .revents = 0};
    return poll(&entry, 1, static_cast<int>(timeout.count())) == 1;
}

ebpfd::Fd open_socket(const Machine& machine, int family, Transport transport)
{
    const int type = transport == Transport::tcp ? SOCK_STREAM : SOCK_DGRAM;
    ebpfd::Fd fd;
    machine.netns.enter(
        [&] { fd = ebpfd::Fd(socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)); });
    const int on = 1;
    setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (transport == Transport::tcp)
        setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return fd;
}

bool carries(const Socket& from, const Socket& to, Milliseconds timeout)
{
    static std::atomic<int> count = 0;
    const std::string text = "message " + std::to_string(++count) + ";";
    if (!from.send(text))
        return false;
    const auto received = to.receive(timeout);
    return received && received->ends_with(text);
}

} // namespace

std::ostream& operator<<(std::ostream& out, Outcome outcome)
{
    constexpr std::array names{"connected", "refused", "unreachable", "silent", "broken"};
    return out << names.at(static_cast<size_t>(outcome));
}

std::ostream& operator<<(std::ostream& out, Transport transport)
{
    constexpr std::array names{"TCP", "UDP", "ICMP"};
    return out << names.at(static_cast<size_t>(transport));
}

Socket Socket::listen(const Machine& machine, Transport transport, uint16_t port)
{
    ebpfd::Fd fd = open_socket(machine, AF_INET6, transport);
    const int off = 0;
    setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    const SocketAddress any("::", port);
    if (bind(fd.get(), any.get(), any.size()) != 0)
        return {};
    if (transport == Transport::tcp && ::listen(fd.get(), 64) != 0)
        return {};
    return Socket(std::move(fd));
}

Socket Socket::connect(const Machine& machine, Transport transport, std::string_view address,
                       uint16_t port, uint16_t source_port)
{
    const SocketAddress peer(address, port);
    ebpfd::Fd fd = open_socket(machine, peer.family(), transport);
    const SocketAddress self(peer.family() == AF_INET ? "0.0.0.0" : "::", source_port);
    if (source_port != 0 && bind(fd.get(), self.get(), self.size()) != 0)
        return {};
    if (::connect(fd.get(), peer.get(), peer.size()) != 0 && errno != EINPROGRESS)
        return {};
    return Socket(std::move(fd));
}

Outcome Socket::outcome(Milliseconds timeout) const
{
    if (!fd_)
        return Outcome::broken;
    if (!ready(fd_.get(), POLLOUT, timeout))
        return Outcome::silent;
    int error = 0;
    socklen_t length = sizeof(error);
    if (getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &length) != 0)
        return Outcome::broken;
    if (error == 0)
        return Outcome::connected;
    return error == ECONNREFUSED ? Outcome::refused : Outcome::unreachable;
}

std::optional<Socket> Socket::accept(Milliseconds timeout) const
{
    if (!fd_ || !ready(fd_.get(), POLLIN, timeout))
        return {};
    ebpfd::Fd fd(accept4(fd_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd)
        return {};
    const int on = 1;
    setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return Socket(std::move(fd));
}

bool Socket::send(std::string_view text) const
{
    return fd_ && ::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL) ==
                      static_cast<ssize_t>(text.size());
}

std::optional<std::string> Socket::receive(Milliseconds timeout) const
{
    if (!fd_ || !ready(fd_.get(), POLLIN, timeout))
        return {};
    std::string text(65536, '\0');
    const ssize_t length = recv(fd_.get(), text.data(), text.size(), 0);
    if (length <= 0)
        return {};
    text.resize(static_cast<size_t>(length));
    return text;
}

std::optional<std::string> Socket::receive_and_connect(Milliseconds timeout) const
{
    if (!fd_ || !ready(fd_.get(), POLLIN, timeout))
        return {};
    sockaddr_storage sender{};
    socklen_t size = sizeof(sender);
    std::string text(65536, '\0');
    auto* address = reinterpret_cast<sockaddr*>(&sender);
    const ssize_t length = recvfrom(fd_.get(), text.data(), text.size(), 0, address, &size);
    if (length < 0 || ::connect(fd_.get(), address, size) != 0)
        return {};
    text.resize(static_cast<size_t>(length));
    return text;
}

bool Connection::carries_to_server(Milliseconds timeout) const
{
    return carries(client, server, timeout);
}

bool Connection::carries_to_client(Milliseconds timeout) const
{
    return carries(server, client, timeout);
}

std::optional<Connection> open_connection(const Machine& from, const Machine& to, Family family,
                                          Transport transport, uint16_t port)
{
    Socket listener = Socket::listen(to, transport, port);
    Connection made;
    made.client = Socket::connect(from, transport, to.at(family), port);
    if (transport == Transport::udp) {
        if (!made.client.send("hello") || !listener.receive_and_connect())
            return {};
        made.server = std::move(listener);
        return made;
    }
    auto accepted = listener.accept();
    if (!accepted)
        return {};
    made.server = std::move(*accepted);
    return made;
}

} // namespace lab
