// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/fd.h"
#include "inventory/interface_table.h"
#include "inventory/netlink.h"

namespace ebpfd {

// Asks the kernel about one network namespace, and about the far ends of its interfaces.
class InterfaceQueries {
public:
    // About the calling thread's network namespace, whichever thread asks later.
    static Result<InterfaceQueries> open();

    // Links come without peer_addresses. To ask gives each namespace that holds an
    // interface's other end a number, and only then are changes in there notified.
    Result<std::vector<Link>> links();
    Result<std::optional<Link>> link(uint32_t ifindex);
    Result<std::set<OwnAddress>> own_addresses();
    // Of the link's other end; none if that is not distant, or the kernel refuses.
    std::set<AssignedAddress> peer_addresses(const Link& link);
    Result<std::set<HostRoute>> routes();
    // The number that this namespace has in itself, if somebody gave it one.
    Result<std::optional<int32_t>> own_nsid();

private:
    InterfaceQueries(Fd own_namespace, RequestSocket requests);

    Fd own_namespace_;
    RequestSocket requests_;
};

} // namespace ebpfd
