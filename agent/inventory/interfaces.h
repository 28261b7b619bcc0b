// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "inventory/interface_queries.h"
#include "inventory/interface_table.h"
#include "inventory/netlink.h"
#include "inventory/rtnetlink.h"

#include <map>
#include <set>
#include <utility>

namespace ebpfd {

// Keeps the table of one network namespace's interfaces current by notifications.
//
// Every change that the table depends on is notified, and each notification only says how a
// thing is now. So an answer to a question that is newer than notifications still waiting
// may be undone by them, but the last of them puts it right again.
class InterfaceWatcher {
public:
    // For the calling thread's network namespace, whichever thread uses it later.
    static Result<InterfaceWatcher> start();

    // Readable when process() has something to do (level triggered).
    int fd() const { return notifications_.fd(); }
    // Takes in waiting notifications without blocking, a bounded number of them a call.
    // Returns whether the table changed. After an error the next call reads everything anew.
    Result<bool> process();
    const InterfaceTable& table() const { return table_; }
    // The interfaces that have gone since the last call. One that has such a number now is another,
    // however much it looks like the one before.
    GoneInterfaces take_gone() { return std::exchange(gone_, {}); }
    // Whether one of that number has gone since.
    bool has_gone(uint32_t ifindex) const { return gone_.contains(ifindex); }
    // Whether, since the last call, notifications were lost: then some may have gone unnoticed.
    bool take_overrun() { return std::exchange(overrun_, false); }

private:
    using Nsid = std::optional<int32_t>; // none: this namespace

    InterfaceWatcher(InterfaceQueries queries, NotificationSocket notifications);

    Result<void> read_pending();
    Result<void> take(const nlmsghdr& message, Nsid nsid);
    Result<void> take_link(const LinkMessage& message, Nsid nsid);
    void take_address(const AddressMessage& message, Nsid nsid);
    void keep_past_address(const AddressMessage& message, int32_t nsid);
    Result<void> take_nsid(const NsidMessage& message, Nsid nsid);

    // The link has gone.
    void lose(uint32_t ifindex);

    Result<void> read_everything();
    Result<void> read_routes();
    Result<void> read_link(uint32_t ifindex);
    Result<void> read_links_with_peer(Nsid nsid, std::optional<uint32_t> peer);
    bool is_own(Nsid nsid) const { return !nsid || nsid == own_nsid_; }

    InterfaceQueries queries_;
    NotificationSocket notifications_;
    InterfaceTable table_;
    // Somebody may have given this namespace a number in itself; messages then carry it.
    Nsid own_nsid_;
    GoneInterfaces gone_;                                    // since take_gone()
    std::map<uint32_t, std::set<IpAddress>> past_addresses_; // that far ends no longer have
    bool overrun_ = false;
    bool changed_ = false;
    bool all_stale_ = true;
    bool routes_stale_ = false;
};

} // namespace ebpfd
