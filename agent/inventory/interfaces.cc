// SPDX-License-Identifier: Apache-2.0
#include "inventory/interfaces.h"

#include "inventory/interface_changes.h"

#include <linux/rtnetlink.h>

namespace ebpfd {

namespace {

// Datagrams a call of process(), so that a pod that changes its interfaces all the time
// cannot keep the caller from its other work.
constexpr int batch_max = 4096;

// Of one far end: a pod may take others all the time.
constexpr size_t past_addresses_max = 16;

// Whether it may be the same interface, after notifications were lost. Of a pair, the name says
// nothing: it may change.
bool may_be_same(const Link& one, const Link& other)
{
    return one.kind == other.kind && one.peer == other.peer && one.peer_nsid == other.peer_nsid &&
           (one.is_paired() || one.name == other.name);
}

constexpr std::array<int, 6> groups{RTNLGRP_LINK,       RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
                                    RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,  RTNLGRP_NSID};

} // namespace

InterfaceWatcher::InterfaceWatcher(InterfaceQueries queries, NotificationSocket notifications)
    : queries_(std::move(queries)), notifications_(std::move(notifications))
{
}

Result<InterfaceWatcher> InterfaceWatcher::start()
{
    auto queries = InterfaceQueries::open();
    if (!queries)
        return fail("watch interfaces", queries.error());
    auto notifications = NotificationSocket::open(groups, NotificationSocket::Reach::all);
    if (!notifications)
        return fail("watch interfaces", notifications.error());
    InterfaceWatcher made(std::move(*queries), std::move(*notifications));
    if (auto first = made.process(); !first)
        return std::unexpected(first.error());
    return made;
}

Result<bool> InterfaceWatcher::process()
{
    changed_ = false;
    auto done = read_pending();
    if (done && all_stale_)
        done = read_everything();
    if (done && routes_stale_)
        done = read_routes();
    if (!done) {
        all_stale_ = true;
        return fail("watch interfaces", done.error());
    }
    return changed_;
}

Result<void> InterfaceWatcher::read_pending()
{
    using Received = NotificationSocket::Received;
    Result<void> done;
    auto handle = [&](const nlmsghdr& message, Nsid nsid) {
        if (done && !all_stale_)
            done = take(message, nsid);
    };
    for (int count = 0; count < batch_max && done && !all_stale_; ++count) {
        auto received = notifications_.receive(handle);
        if (!received)
            return std::unexpected(received.error());
        if (*received == Received::nothing)
            break;
        overrun_ |= *received == Received::overrun;
        all_stale_ |= *received == Received::overrun;
    }
    return done;
}

Result<void> InterfaceWatcher::take(const nlmsghdr& message, Nsid nsid)
{
    if (auto link = parse_link(message))
        return take_link(*link, nsid);
    if (auto address = parse_address(message))
        take_address(*address, nsid);
    else if (auto route = parse_route(message); route && is_own(nsid))
        changed_ |= take_route(table_, *route);
    else if (auto number = parse_nsid(message))
        return take_nsid(*number, nsid);
    return {};
}

Result<void> InterfaceWatcher::take_link(const LinkMessage& message, Nsid nsid)
{
    const uint32_t ifindex = message.link.ifindex;
    // An end that goes, or goes elsewhere: the interface at its other end may say nothing.
    if (message.removed && is_own(nsid))
        lose(ifindex);
    if (message.removed)
        return read_links_with_peer(nsid, ifindex);
    if (!is_own(nsid))
        return {};
    // Of a new pair the first end is notified while it has no other yet, and then no more. An
    // answer comes only when the pair is complete.
    if (message.link.is_paired() && message.link.peer == 0)
        return read_link(ifindex);
    auto known = table_.links.find(ifindex);
    const bool same_peer = known != table_.links.end() && known->second.peer == message.link.peer &&
                           known->second.peer_nsid == message.link.peer_nsid;
    changed_ |= store_link(table_, message.link);
    if (!same_peer)
        changed_ |= store_peer_addresses(table_, ifindex, queries_.peer_addresses(message.link));
    return {};
}

void InterfaceWatcher::take_address(const AddressMessage& message, Nsid nsid)
{
    if (!is_own(nsid)) {
        if (message.removed)
            keep_past_address(message, *nsid);
        changed_ |= take_peer_address(table_, message, *nsid);
        return;
    }
    changed_ |= take_own_address(table_, message);
    // IPv4 routes that preferred this source address went with it, without a word.
    routes_stale_ |= message.removed && message.address.assigned.address.is_v4();
}

// An interface that goes loses its addresses first.
void InterfaceWatcher::keep_past_address(const AddressMessage& message, int32_t nsid)
{
    for (const auto& [ifindex, link] : table_.links)
        if (link.peer_nsid == nsid && link.peer_addresses.contains(message.address.assigned))
            if (auto& past = past_addresses_[ifindex]; past.size() < past_addresses_max)
                past.insert(message.address.assigned.address);
}

void InterfaceWatcher::lose(uint32_t ifindex)
{
    auto& addresses = gone_[ifindex];
    if (auto past = past_addresses_.extract(ifindex))
        addresses.merge(past.mapped());
    if (const auto link = table_.links.find(ifindex); link != table_.links.end())
        for (const auto& assigned : link->second.peer_addresses)
            addresses.insert(assigned.address);
    changed_ |= remove_link(table_, ifindex);
}

Result<void> InterfaceWatcher::take_nsid(const NsidMessage& message, Nsid nsid)
{
    auto own = queries_.own_nsid();
    if (!own)
        return std::unexpected(own.error());
    if (*own != own_nsid_) {
        all_stale_ = true; // what came under this number was misunderstood
        return {};
    }
    if (!message.removed || !is_own(nsid))
        return {};
    // The number may belong to another namespace already.
    return read_links_with_peer(message.nsid, std::nullopt);
}

Result<void> InterfaceWatcher::read_everything()
{
    // What still waits is older than the answers below, and part of it may be lost.
    if (auto emptied = notifications_.discard(); !emptied)
        return emptied;
    auto own = queries_.own_nsid();
    auto links = queries_.links();
    auto addresses = queries_.own_addresses();
    if (!own)
        return std::unexpected(own.error());
    if (!links)
        return std::unexpected(links.error());
    if (!addresses)
        return std::unexpected(addresses.error());
    InterfaceTable found{.links = {}, .addresses = std::move(*addresses), .routes = table_.routes};
    for (Link& link : *links) {
        link.peer_addresses = queries_.peer_addresses(link);
        found.links.emplace(link.ifindex, std::move(link));
    }
    changed_ |= found != table_;
    std::vector<uint32_t> gone;
    for (const auto& [ifindex, link] : table_.links)
        if (const auto now = found.links.find(ifindex);
            now == found.links.end() || !may_be_same(link, now->second))
            gone.push_back(ifindex);
    for (const uint32_t ifindex : gone)
        lose(ifindex);
    own_nsid_ = *own;
    table_ = std::move(found);
    all_stale_ = false;
    return read_routes();
}

Result<void> InterfaceWatcher::read_routes()
{
    auto found = queries_.routes();
    if (!found)
        return std::unexpected(found.error());
    changed_ |= *found != table_.routes;
    table_.routes = std::move(*found);
    routes_stale_ = false;
    return {};
}

Result<void> InterfaceWatcher::read_link(uint32_t ifindex)
{
    auto found = queries_.link(ifindex);
    if (!found)
        return std::unexpected(found.error());
    if (!*found) { // its notification is still to come
        lose(ifindex);
        return {};
    }
    changed_ |= store_link(table_, **found);
    changed_ |= store_peer_addresses(table_, ifindex, queries_.peer_addresses(**found));
    return {};
}

// peer: its ifindex in the namespace nsid; none: any there.
Result<void> InterfaceWatcher::read_links_with_peer(Nsid nsid, std::optional<uint32_t> peer)
{
    std::vector<uint32_t> affected;
    for (const auto& [ifindex, link] : table_.links) {
        const bool there = is_own(nsid) ? !link.peer_nsid : link.peer_nsid == nsid;
        if (there && (!peer || link.peer == *peer))
            affected.push_back(ifindex);
    }
    for (uint32_t ifindex : affected)
        if (auto done = read_link(ifindex); !done)
            return done;
    return {};
}

} // namespace ebpfd
