// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "inventory/interface_table.h"

#include <array>
#include <libmnl/libmnl.h>
#include <optional>

// rtnetlink messages as plain data, and the requests that ask for them. A message that is of
// another type, or says nothing that matters here, parses as nothing.
namespace ebpfd {

struct LinkMessage {
    bool removed = false;
    Link link; // without peer_addresses
};

struct AddressMessage {
    bool removed = false;
    OwnAddress address;
};

struct RouteMessage {
    bool removed = false;
    bool replaces = false; // routes of the same destination and metric end
    HostRoute route;
};

struct NsidMessage {
    bool removed = false;
    int32_t nsid = -1; // -1: the namespace has no number
};

std::optional<LinkMessage> parse_link(const nlmsghdr& message);
std::optional<AddressMessage> parse_address(const nlmsghdr& message);
std::optional<RouteMessage> parse_route(const nlmsghdr& message);
std::optional<NsidMessage> parse_nsid(const nlmsghdr& message);
// The interface that has lost a tc filter, or a queueing discipline with its filters.
std::optional<uint32_t> parse_filter_removal(const nlmsghdr& message);

// Where an interface's addresses are asked for: another namespace by our number of it.
struct DistantInterface {
    int32_t nsid = 0;
    uint32_t ifindex = 0;
};

class Request {
public:
    static Request all_links();
    static Request one_link(uint32_t ifindex);
    static Request own_addresses(uint8_t family);
    static Request distant_addresses(uint8_t family, DistantInterface where);
    static Request main_routes(uint8_t family);
    // The number of the namespace that the file descriptor stands for.
    static Request nsid(int namespace_fd);

    nlmsghdr& header() { return *reinterpret_cast<nlmsghdr*>(bytes_.data()); }

private:
    Request(uint16_t type, uint16_t flags);

    alignas(nlmsghdr) std::array<char, 128> bytes_{};
};

} // namespace ebpfd
