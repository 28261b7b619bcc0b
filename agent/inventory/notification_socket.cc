// SPDX-License-Identifier: Apache-2.0
#include "inventory/netlink.h"

#include <cerrno>
#include <cstring>
#include <linux/netlink.h>
#include <sys/socket.h>

namespace ebpfd {

namespace {

constexpr size_t buffer_size = 64 * 1024;
// The kernel's side of the queue: room for some ten thousand changes between two wake-ups.
constexpr int queue_bytes = 8 * 1024 * 1024;

// A smaller queue only means that overruns come sooner, so failure is no error.
void enlarge_queue(int fd)
{
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &queue_bytes, sizeof(queue_bytes)) != 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &queue_bytes, sizeof(queue_bytes));
}

std::optional<int32_t> nsid_of(msghdr& header)
{
    for (cmsghdr* part = CMSG_FIRSTHDR(&header); part; part = CMSG_NXTHDR(&header, part)) {
        if (part->cmsg_level != SOL_NETLINK || part->cmsg_type != NETLINK_LISTEN_ALL_NSID)
            continue;
        int32_t nsid = 0;
        std::memcpy(&nsid, CMSG_DATA(part), sizeof(nsid));
        return nsid;
    }
    return std::nullopt;
}

void hand_out(std::span<const char> datagram, std::optional<int32_t> nsid,
              const NotificationSocket::Handler& handle)
{
    auto* message = reinterpret_cast<const nlmsghdr*>(datagram.data());
    int left = static_cast<int>(datagram.size());
    for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left))
        handle(*message, nsid);
}

} // namespace

Result<NotificationSocket> NotificationSocket::open(std::span<const int> groups, Reach reach)
{
    MnlSocket socket(mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK),
                     mnl_socket_close);
    if (!socket)
        return fail_errno("open a netlink socket");
    enlarge_queue(mnl_socket_get_fd(socket.get()));
    if (mnl_socket_bind(socket.get(), 0, MNL_SOCKET_AUTOPID) < 0)
        return fail_errno("bind a netlink socket");
    int on = 1;
    if (reach == Reach::all &&
        mnl_socket_setsockopt(socket.get(), NETLINK_LISTEN_ALL_NSID, &on, sizeof(on)) < 0)
        return fail_errno("listen to the pods' network namespaces");
    for (int group : groups)
        if (mnl_socket_setsockopt(socket.get(), NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
            return fail_errno("listen to changes of interfaces");
    NotificationSocket made(std::move(socket));
    made.buffer_.resize(buffer_size);
    return made;
}

Result<NotificationSocket::Received> NotificationSocket::receive(const Handler& handle)
{
    sockaddr_nl sender{};
    iovec piece{buffer_.data(), buffer_.size()};
    alignas(cmsghdr) char control[128];
    msghdr header{};
    header.msg_name = &sender;
    header.msg_namelen = sizeof(sender);
    header.msg_iov = &piece;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof(control);
    ssize_t size = 0;
    do
        size = recvmsg(fd(), &header, 0);
    while (size < 0 && errno == EINTR);
    if (size < 0 && errno == EAGAIN)
        return Received::nothing;
    if (size < 0 && errno == ENOBUFS)
        return Received::overrun;
    if (size < 0)
        return fail_errno("receive changes of interfaces");
    if (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
        return Received::overrun;
    if (sender.nl_pid == 0) // the kernel; other processes may write to us as well
        hand_out({buffer_.data(), static_cast<size_t>(size)}, nsid_of(header), handle);
    return Received::messages;
}

Result<void> NotificationSocket::discard()
{
    for (;;) {
        auto received = receive([](const nlmsghdr&, std::optional<int32_t>) {});
        if (!received)
            return std::unexpected(received.error());
        if (*received == Received::nothing)
            return {};
    }
}

} // namespace ebpfd
