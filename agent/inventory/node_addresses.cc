// SPDX-License-Identifier: Apache-2.0
#include "inventory/locate.h"

#include <algorithm>

namespace ebpfd {

namespace {

bool is_loopback(const IpAddress& address)
{
    static const auto v4 = Cidr::parse("127.0.0.0/8");
    static const auto v6 = Cidr::parse("::1/128");
    return v4->contains(address) || v6->contains(address);
}

} // namespace

std::set<IpAddress> node_addresses(const InterfaceTable& table,
                                   const std::vector<std::shared_ptr<const Node>>& nodes,
                                   const std::string& node_name)
{
    std::set<IpAddress> found;
    for (const OwnAddress& own : table.addresses)
        if (!is_loopback(own.assigned.address))
            found.insert(own.assigned.address);
    for (const auto& node : nodes)
        if (node->name == node_name)
            found.insert(node->addresses.begin(), node->addresses.end());
    return found;
}

} // namespace ebpfd
