// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "lab/addresses.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lab {

using Bytes = std::vector<uint8_t>;
using Mac = std::array<uint8_t, 6>;

enum TcpFlag : uint8_t { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };

inline constexpr uint8_t protocol_tcp = 6;
inline constexpr uint8_t protocol_udp = 17;
inline constexpr uint8_t protocol_icmpv6 = 58;
inline constexpr uint8_t protocol_sctp = 132;

inline constexpr Mac pod_mac{0x02, 0, 0, 0, 0, 0x01};
inline constexpr Mac node_mac{0x02, 0, 0, 0, 0, 0x02};

// Builds a frame header by header, outermost first; bytes() fills in lengths, next-header
// fields and checksums. Ports in host byte order, addresses as text.
//
//     Packet{}.eth().vlan(5).ipv4(web_v4, db_v4).tcp(1000, 80, SYN).bytes()
//     Packet{}.eth().ipv6(web_v6, db_v6).hop_by_hop().fragment(7, 0, true).udp(1, 2).bytes()
//     Packet{}.eth().ipv4(db_v4, web_v4).icmp(3, 4, quoted).bytes()
class Packet {
public:
    Packet& eth(const Mac& source = pod_mac, const Mac& destination = node_mac);
    // A tag behind eth() or another tag; tpid 0x8100 (802.1Q) or 0x88a8 (802.1ad).
    Packet& vlan(uint16_t id, uint16_t tpid = 0x8100);
    // "Who has target? Tell sender"; operation 2 is the answer.
    Packet& arp(std::string_view sender, std::string_view target, uint16_t operation = 1);
    // Behind eth(): a frame of another protocol, such as 0x88cc.
    Packet& ethertype(uint16_t type, Bytes content = Bytes(46));

    // options are padded to a multiple of four bytes, 40 at most.
    Packet& ipv4(std::string_view source, std::string_view destination, Bytes options = {});
    Packet& ipv6(std::string_view source, std::string_view destination);
    // Extension headers behind ipv6(); units counts the 8 bytes beyond the first 8.
    Packet& hop_by_hop(uint8_t units = 0);
    Packet& destination_options(uint8_t units = 0);
    Packet& routing(uint8_t type, uint8_t segments_left);
    Packet& authentication();
    // Behind ipv4() sets its fragment field, behind ipv6() adds a fragment header. offset in
    // bytes, a multiple of 8.
    Packet& fragment(uint32_t id, uint16_t offset, bool more);

    Packet& tcp(uint16_t source, uint16_t destination, uint8_t flags);
    Packet& udp(uint16_t source, uint16_t destination);
    Packet& sctp(uint16_t source, uint16_t destination);
    // Behind ipv4() ICMP, behind ipv6() ICMPv6; body stands behind the 4 bytes of rest.
    Packet& icmp(uint8_t type, uint8_t code, Bytes body = {}, uint32_t rest = 0);
    Packet& echo_request(uint16_t id, uint16_t sequence = 1);
    Packet& echo_reply(uint16_t id, uint16_t sequence = 1);
    // "Destination unreachable" about quoted, a packet from its IP header on (see from_ip).
    Packet& unreachable(const Bytes& quoted);
    // ICMPv6 neighbour solicitation for target.
    Packet& neighbor_solicitation(std::string_view target);
    // Any other protocol, or the middle of a fragmented datagram.
    Packet& raw(uint8_t protocol, Bytes content);
    Packet& payload(Bytes content);
    Packet& payload(std::string_view content);

    Bytes bytes() const;

private:
    enum class Kind { ethernet, ipv4, ipv6, extension, authentication, transport, content };
    struct Layer {
        Kind kind;
        uint16_t name; // what the header in front calls this one: an ethertype or protocol
        Bytes header;
        size_t checksum_at = 0; // 0: none
        size_t length_at = 0;   // of UDP
    };
    Packet& add(Layer layer);
    Packet& ipv6_extension(uint8_t name, uint8_t units);
    Packet& echo(bool reply, uint16_t id, uint16_t sequence);
    bool over_ipv6() const;
    void link(Layer& layer, uint16_t next) const;
    void finish(Layer& layer, const Layer* ip, const Bytes& rest) const;

    std::vector<Layer> layers_;
};

// The packet without its Ethernet header and VLAN tags.
Bytes from_ip(const Bytes& frame);
// First so many bytes: a packet that ends too early.
Bytes cut(Bytes frame, size_t length);
// The datagram in fragments that carry at most size bytes each (a multiple of 8), in order.
std::vector<Bytes> fragments(const Bytes& frame, size_t size, uint32_t id = 77);
// One line for a message of a failed test: "10.0.0.1 > 10.0.0.2 protocol 6, 60 bytes: 0200…".
std::string describe(const Bytes& frame);

} // namespace lab
