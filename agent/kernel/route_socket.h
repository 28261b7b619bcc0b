// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/result.h"
#include "kernel/hook.h"

#include <libmnl/libmnl.h>
#include <linux/pkt_sched.h>
#include <memory>

// How tc is spoken to.
namespace ebpfd {

using RouteSocket = std::unique_ptr<mnl_socket, int (*)(mnl_socket*)>;

inline Result<RouteSocket> open_route_socket()
{
    RouteSocket socket(mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC), mnl_socket_close);
    if (!socket || mnl_socket_bind(socket.get(), 0, MNL_SOCKET_AUTOPID) != 0)
        return fail_errno("open a netlink socket");
    return socket;
}

// Where filters of the hook are.
constexpr uint32_t parent_of(const Hook& hook)
{
    return TC_H_MAKE(TC_H_CLSACT,
                     hook.clsact == BPF_TC_INGRESS ? TC_H_MIN_INGRESS : TC_H_MIN_EGRESS);
}

} // namespace ebpfd
