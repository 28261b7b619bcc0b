// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/result.h"

#include <cstdint>
#include <functional>
#include <libmnl/libmnl.h>
#include <memory>
#include <optional>
#include <span>
#include <vector>

// The two sockets rtnetlink is spoken to with: one asks, one listens.
namespace ebpfd {

using MnlSocket = std::unique_ptr<mnl_socket, int (*)(mnl_socket*)>;
using MessageHandler = std::function<void(const nlmsghdr&)>;

// Asks and waits for the answer; the kernel checks requests strictly, so that a filter it
// does not know is an error rather than ignored.
class RequestSocket {
public:
    static Result<RequestSocket> open();

    // Hands each message of the answer to parse and returns what it made of them. A dump that
    // changed while it ran is asked for again. Error::code is the kernel's errno.
    template <class T>
    Result<std::vector<T>> fetch(nlmsghdr& request, std::optional<T> (*parse)(const nlmsghdr&));

private:
    explicit RequestSocket(MnlSocket socket) : socket_(std::move(socket)) {}
    Result<void> run(nlmsghdr& request, const MessageHandler& handle,
                     const std::function<void()>& restart);
    Result<bool> run_once(nlmsghdr& request, const MessageHandler& handle);
    Result<std::span<const char>> receive();

    MnlSocket socket_;
    uint32_t sequence_ = 0;
    std::vector<char> buffer_;
};

// Listens to groups.
class NotificationSocket {
public:
    // Of this namespace alone, or of others that have a number in it as well.
    enum class Reach : uint8_t { own, all };
    enum class Received : uint8_t {
        messages,
        nothing, // none is waiting
        overrun, // some were lost
    };
    // nsid: the number of the namespace it came from; none: ours.
    using Handler = std::function<void(const nlmsghdr&, std::optional<int32_t> nsid)>;

    static Result<NotificationSocket> open(std::span<const int> groups, Reach reach);
    int fd() const { return mnl_socket_get_fd(socket_.get()); }
    // Reads one datagram, without blocking.
    Result<Received> receive(const Handler& handle);
    // Throws away all that is waiting.
    Result<void> discard();

private:
    explicit NotificationSocket(MnlSocket socket) : socket_(std::move(socket)) {}

    MnlSocket socket_;
    std::vector<char> buffer_;
};

template <class T>
Result<std::vector<T>> RequestSocket::fetch(nlmsghdr& request,
                                            std::optional<T> (*parse)(const nlmsghdr&))
{
    std::vector<T> found;
    auto collect = [&](const nlmsghdr& message) {
        if (auto one = parse(message))
            found.push_back(std::move(*one));
    };
    if (auto ran = run(request, collect, [&] { found.clear(); }); !ran)
        return std::unexpected(ran.error());
    return found;
}

} // namespace ebpfd
