// SPDX-License-Identifier: Apache-2.0
#include "inventory/netlink.h"

#include <cerrno>
#include <cstring>
#include <linux/netlink.h>
#include <sys/socket.h>

namespace ebpfd {

namespace {

constexpr size_t buffer_size = 64 * 1024;
constexpr int attempts_max = 32;

// What a message says of the answer as a whole.
enum class Ending : uint8_t { none, ended, failed };

// NLMSG_DONE carries an error too: of a dump that failed after it had begun.
Ending ending_of(const nlmsghdr& message, int& code)
{
    if (message.nlmsg_type != NLMSG_ERROR && message.nlmsg_type != NLMSG_DONE)
        return Ending::none;
    int32_t error = 0;
    if (mnl_nlmsg_get_payload_len(&message) >= sizeof(error))
        std::memcpy(&error, mnl_nlmsg_get_payload(&message), sizeof(error));
    code = -error;
    return error < 0 ? Ending::failed : Ending::ended;
}

} // namespace

Result<RequestSocket> RequestSocket::open()
{
    MnlSocket socket(mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC), mnl_socket_close);
    if (!socket)
        return fail_errno("open a netlink socket");
    if (mnl_socket_bind(socket.get(), 0, MNL_SOCKET_AUTOPID) < 0)
        return fail_errno("bind a netlink socket");
    int on = 1; // Linux 4.20
    if (mnl_socket_setsockopt(socket.get(), NETLINK_GET_STRICT_CHK, &on, sizeof(on)) < 0)
        return fail_errno("have netlink requests checked strictly");
    RequestSocket made(std::move(socket));
    made.buffer_.resize(buffer_size);
    return made;
}

Result<void> RequestSocket::run(nlmsghdr& request, const MessageHandler& handle,
                                const std::function<void()>& restart)
{
    for (int attempt = 0; attempt < attempts_max; ++attempt) {
        auto interrupted = run_once(request, handle);
        if (!interrupted)
            return std::unexpected(interrupted.error());
        if (!*interrupted)
            return {};
        restart();
    }
    return fail_errno("read a netlink dump that changes all the time", EAGAIN);
}

// Returns whether the dump changed while it ran.
Result<bool> RequestSocket::run_once(nlmsghdr& request, const MessageHandler& handle)
{
    request.nlmsg_seq = ++sequence_;
    if (mnl_socket_sendto(socket_.get(), &request, request.nlmsg_len) < 0)
        return fail_errno("send a netlink request");
    bool interrupted = false;
    for (;;) {
        auto received = receive();
        if (!received)
            return std::unexpected(received.error());
        auto* message = reinterpret_cast<const nlmsghdr*>(received->data());
        int left = static_cast<int>(received->size());
        for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
            if (message->nlmsg_seq != sequence_)
                continue;
            interrupted |= (message->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
            int code = 0;
            const Ending ending = ending_of(*message, code);
            if (ending == Ending::failed)
                return fail_errno("netlink request", code);
            if (ending == Ending::ended)
                return interrupted;
            handle(*message);
        }
    }
}

Result<std::span<const char>> RequestSocket::receive()
{
    ssize_t size = 0;
    do
        size = recv(mnl_socket_get_fd(socket_.get()), buffer_.data(), buffer_.size(), MSG_TRUNC);
    while (size < 0 && errno == EINTR);
    if (size < 0)
        return fail_errno("receive a netlink answer");
    if (static_cast<size_t>(size) > buffer_.size())
        return fail_errno("receive a netlink answer", EMSGSIZE);
    return std::span<const char>(buffer_.data(), static_cast<size_t>(size));
}

} // namespace ebpfd
