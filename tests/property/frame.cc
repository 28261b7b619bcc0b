// SPDX-License-Identifier: Apache-2.0
#include "property/frame.h"

#include "lab/packet.h"

namespace property {

std::vector<uint8_t> frame(const reference::Packet& packet)
{
    // The chunk that opens an association, its parameters zero.
    static const lab::Bytes init = {1, 0, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    lab::Packet built;
    built.eth();
    if (packet.source.is_v4())
        built.ipv4(packet.source.text(), packet.destination.text());
    else
        built.ipv6(packet.source.text(), packet.destination.text());
    switch (packet.protocol) {
    case 1:
    case 58:
        return built.echo_request(1).bytes();
    case 6:
        return built.tcp(packet.source_port, packet.destination_port, lab::SYN).bytes();
    case 17:
        return built.udp(packet.source_port, packet.destination_port).bytes();
    case 132:
        return built.sctp(packet.source_port, packet.destination_port).payload(init).bytes();
    default:
        return built.raw(packet.protocol, lab::Bytes(16)).bytes();
    }
}

} // namespace property
