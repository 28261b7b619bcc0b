// SPDX-License-Identifier: Apache-2.0
#include "property/scenario.h"
#include "property/vocabulary.h"

using namespace ebpfd;

namespace property {

// Ports at which some verdict of this world may change.
static std::vector<uint16_t> interesting_ports(const World& world)
{
    std::vector<uint16_t> ports = port_numbers();
    for (const auto& policy : world.policies)
        for (const auto* rules : {&policy->ingress, &policy->egress})
            for (const PolicyRule& rule : rules->value_or(std::vector<PolicyRule>{}))
                for (const PolicyPort& port : rule.ports)
                    if (const auto* range = std::get_if<PortRange>(&port.port))
                        for (const int edge :
                             {range->first - 1, range->first + 0, range->last + 0, range->last + 1})
                            ports.push_back(static_cast<uint16_t>(edge));
    return ports;
}

static IpAddress random_peer_address(Dice& dice, const Family& family)
{
    const size_t shape = dice.below(100);
    if (shape < 55)
        return dice.pick(family.pods);
    if (shape < 75)
        return dice.pick(family.outside);
    if (shape < 85)
        return family.this_node;
    if (shape < 92)
        return family.other_node;
    return dice.pick(family.cluster_ips);
}

static IpAddress pod_address(Dice& dice, const LocalInterface& interface, const Family& family)
{
    if (interface.pod != nullptr)
        for (const IpAddress& address : interface.pod->addresses)
            if (address.is_v4() == family.this_node.is_v4())
                return address;
    return dice.pick(family.pods);
}

static void choose_protocol(Dice& dice, const World& world, const Family& family,
                            const std::vector<uint16_t>& ports, reference::Packet& packet)
{
    const Pod& pod = *dice.pick(world.pods);
    if (!pod.ports.empty() && dice.chance(40)) {
        const NamedPort& named = dice.pick(pod.ports);
        packet.protocol = static_cast<uint8_t>(named.protocol);
        packet.source_port = dice.pick(ports);
        packet.destination_port = named.number;
        return;
    }
    if (dice.chance(15)) {
        static constexpr uint8_t gre = 47;
        packet.protocol = dice.chance(70) ? family.icmp : gre;
        return;
    }
    packet.protocol =
        static_cast<uint8_t>(dice.chance(60) ? Protocol::tcp : dice.pick(protocols()));
    packet.source_port = dice.pick(ports);
    packet.destination_port = dice.pick(ports);
}

// A packet to a port of one of the services, as its clients send it.
static bool choose_service(Dice& dice, const World& world, const Family& family,
                           reference::Packet& packet)
{
    if (world.services.empty() || packet.dir != DIRECTION_EGRESS || dice.chance(60))
        return false;
    const Service& service = *dice.pick(world.services);
    for (const IpAddress& cluster_ip : service.cluster_ips) {
        if (cluster_ip.is_v4() != family.this_node.is_v4())
            continue;
        const ServicePort& port = dice.pick(service.ports);
        packet.destination = cluster_ip;
        packet.protocol = static_cast<uint8_t>(port.protocol);
        packet.source_port = 40000;
        packet.destination_port = port.port;
        return true;
    }
    return false;
}

static reference::Packet random_packet(Dice& dice, const World& world,
                                       const std::vector<uint16_t>& ports)
{
    reference::Packet packet;
    const LocalInterface& interface = dice.pick(world.interfaces);
    const Family& family = dice.pick(families());
    packet.ifindex = interface.ifindex;
    packet.dir = dice.chance(50) ? DIRECTION_INGRESS : DIRECTION_EGRESS;
    const bool ingress = packet.dir == DIRECTION_INGRESS;
    (ingress ? packet.destination : packet.source) = pod_address(dice, interface, family);
    if (!ingress && dice.chance(10)) // in somebody else's name
        packet.source = random_peer_address(dice, family);
    if (choose_service(dice, world, family, packet))
        return packet;
    (ingress ? packet.source : packet.destination) = random_peer_address(dice, family);
    choose_protocol(dice, world, family, ports, packet);
    return packet;
}

std::vector<reference::Packet> random_packets(Dice& dice, const World& world, size_t count)
{
    const std::vector<uint16_t> ports = interesting_ports(world);
    std::vector<reference::Packet> packets;
    for (size_t left = count; left > 0; --left)
        packets.push_back(random_packet(dice, world, ports));
    return packets;
}

} // namespace property
