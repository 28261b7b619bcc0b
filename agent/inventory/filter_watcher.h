// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "inventory/netlink.h"

#include <optional>
#include <set>

namespace ebpfd {

// Tells from which interfaces of one network namespace tc filters are taken, by notifications:
// whoever takes them.
class FilterWatcher {
public:
    // For the calling thread's network namespace, whichever thread uses it later.
    static Result<FilterWatcher> start();

    // Readable when take() has something to tell (level triggered).
    int fd() const { return notifications_.fd(); }
    // The interfaces that have lost a filter, or the queueing discipline that holds them, since the
    // last call, of a bounded number of notifications. Nothing: some were lost, and any may have.
    std::optional<std::set<uint32_t>> take();

private:
    explicit FilterWatcher(NotificationSocket notifications);

    NotificationSocket notifications_;
};

} // namespace ebpfd
