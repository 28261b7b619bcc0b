// SPDX-License-Identifier: Apache-2.0
// rtnetlink messages: what the kernel says of interfaces, addresses, routes and namespaces.
#include "fuzz/target.h"
#include "inventory/rtnetlink.h"

#include <cstring>
#include <linux/netlink.h>
#include <memory>

using namespace ebpfd;

namespace fuzz {
namespace {

void parse(const nlmsghdr& message)
{
    const auto link = parse_link(message);
    const auto address = parse_address(message);
    const auto route = parse_route(message);
    const auto nsid = parse_nsid(message);
    const auto filter = parse_filter_removal(message);
    expect(link.has_value() + address.has_value() + route.has_value() + nsid.has_value() +
                   filter.has_value() <=
               1,
           "a message is of one kind");
    if (link)
        expect(link->link.name.find('\0') == std::string::npos, "a name has no NUL");
    if (route)
        expect(route->route.ifindex != 0 || route->replaces, "a route leads somewhere");
}

} // namespace

// In memory of its own size, so that a byte read beyond is found. As the sockets do, only whole
// messages are parsed; libmnl takes a length of 2 GiB or more for a whole one, which the kernel
// never sends.
void try_input(std::string_view input)
{
    const auto buffer = std::make_unique<char[]>(input.size());
    std::memcpy(buffer.get(), input.data(), input.size());
    auto left = static_cast<int>(input.size());
    const auto* message = reinterpret_cast<const nlmsghdr*>(buffer.get());
    while (mnl_nlmsg_ok(message, left) && message->nlmsg_len <= input.size()) {
        parse(*message);
        message = mnl_nlmsg_next(message, &left);
    }
}

} // namespace fuzz
