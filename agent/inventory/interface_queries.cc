// SPDX-License-Identifier: Apache-2.0
#include "inventory/interface_queries.h"

#include "inventory/rtnetlink.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/socket.h>

namespace ebpfd {

namespace {

constexpr std::array<uint8_t, 2> families{AF_INET, AF_INET6};

} // namespace

InterfaceQueries::InterfaceQueries(Fd own_namespace, RequestSocket requests)
    : own_namespace_(std::move(own_namespace)), requests_(std::move(requests))
{
}

Result<InterfaceQueries> InterfaceQueries::open()
{
    Fd own_namespace(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    if (!own_namespace)
        return fail_errno("open this network namespace");
    auto requests = RequestSocket::open();
    if (!requests)
        return std::unexpected(requests.error());
    return InterfaceQueries(std::move(own_namespace), std::move(*requests));
}

Result<std::vector<Link>> InterfaceQueries::links()
{
    Request request = Request::all_links();
    auto messages = requests_.fetch(request.header(), parse_link);
    if (!messages)
        return fail("read interfaces", messages.error());
    std::vector<Link> found;
    for (LinkMessage& message : *messages)
        found.push_back(std::move(message.link));
    return found;
}

Result<std::optional<Link>> InterfaceQueries::link(uint32_t ifindex)
{
    Request request = Request::one_link(ifindex);
    auto messages = requests_.fetch(request.header(), parse_link);
    if (!messages && messages.error().code == ENODEV)
        return std::nullopt;
    if (!messages)
        return fail("read an interface", messages.error());
    if (messages->empty())
        return std::nullopt;
    return std::move(messages->front().link);
}

Result<std::set<OwnAddress>> InterfaceQueries::own_addresses()
{
    std::set<OwnAddress> found;
    for (uint8_t family : families) {
        Request request = Request::own_addresses(family);
        auto messages = requests_.fetch(request.header(), parse_address);
        if (!messages)
            return fail("read the node's addresses", messages.error());
        for (const AddressMessage& message : *messages)
            found.insert(message.address);
    }
    return found;
}

std::set<AssignedAddress> InterfaceQueries::peer_addresses(const Link& link)
{
    std::set<AssignedAddress> found;
    if (!link.has_distant_peer())
        return found;
    for (uint8_t family : families) {
        Request request = Request::distant_addresses(family, {*link.peer_nsid, link.peer});
        // It fails when the other end has just gone, which is then notified.
        auto messages = requests_.fetch(request.header(), parse_address);
        if (!messages)
            continue;
        for (const AddressMessage& message : *messages)
            found.insert(message.address.assigned);
    }
    return found;
}

Result<std::set<HostRoute>> InterfaceQueries::routes()
{
    std::set<HostRoute> found;
    for (uint8_t family : families) {
        Request request = Request::main_routes(family);
        auto messages = requests_.fetch(request.header(), parse_route);
        // A namespace that never had a route has no main table.
        if (!messages && messages.error().code == ENOENT)
            continue;
        if (!messages)
            return fail("read the node's routes", messages.error());
        for (const RouteMessage& message : *messages)
            found.insert(message.route);
    }
    return found;
}

Result<std::optional<int32_t>> InterfaceQueries::own_nsid()
{
    Request request = Request::nsid(own_namespace_.get());
    auto messages = requests_.fetch(request.header(), parse_nsid);
    if (!messages)
        return fail("read this network namespace's number", messages.error());
    if (messages->empty() || messages->front().nsid < 0)
        return std::nullopt;
    return messages->front().nsid;
}

} // namespace ebpfd
