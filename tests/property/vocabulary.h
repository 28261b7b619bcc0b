// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "model/world.h"

#include <string>
#include <vector>

// The few words of which random worlds are made: so few that what is drawn twice often meets.
namespace property {

struct Family {
    std::vector<ebpfd::IpAddress> pods;
    std::vector<ebpfd::IpAddress> cluster_ips;
    std::vector<ebpfd::IpAddress> outside;
    ebpfd::IpAddress this_node;
    ebpfd::IpAddress other_node;
    std::vector<ebpfd::Cidr> blocks;
    uint8_t icmp = 0;
};

// Interfaces of local pods.
inline constexpr uint32_t first_ifindex = 101;
inline constexpr uint32_t last_ifindex = 103;

const std::vector<Family>& families(); // IPv4 and IPv6
const std::vector<std::string>& namespace_names();
const std::vector<std::string>& label_keys();
const std::vector<std::string>& label_values();
const std::vector<std::string>& port_names();
const std::vector<uint16_t>& port_numbers();
const std::vector<ebpfd::Protocol>& protocols();

} // namespace property
