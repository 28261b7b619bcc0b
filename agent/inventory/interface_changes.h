// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "inventory/interface_table.h"
#include "inventory/rtnetlink.h"

// What a notification does to the table. Each returns whether the table is another now.
namespace ebpfd {

// peer_addresses of a link that keeps its peer stay as they are; of another peer they go.
bool store_link(InterfaceTable& table, Link link);
bool store_peer_addresses(InterfaceTable& table, uint32_t ifindex, std::set<AssignedAddress> found);
// The link with its addresses and routes.
bool remove_link(InterfaceTable& table, uint32_t ifindex);
bool take_own_address(InterfaceTable& table, const AddressMessage& message);
// An address in the namespace of that number: of every link whose other end has it.
bool take_peer_address(InterfaceTable& table, const AddressMessage& message, int32_t nsid);
bool take_route(InterfaceTable& table, const RouteMessage& message);

} // namespace ebpfd
