// SPDX-License-Identifier: Apache-2.0
#include "kernel/probe_packet.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <iterator>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <netinet/in.h>

namespace ebpfd {

namespace {

constexpr uint16_t SOURCE_PORT = 49152; // the first of the ephemeral ones

using Bytes = std::vector<uint8_t>;

template <class Header> void append(Bytes& packet, const Header& header)
{
    const auto* bytes = reinterpret_cast<const uint8_t*>(&header);
    packet.insert(packet.end(), bytes, bytes + sizeof(header));
}

// The common header of SCTP and the fixed part of its INIT chunk.
struct SctpInit {
    uint16_t source;
    uint16_t destination;
    uint32_t tag;
    uint32_t checksum;
    uint8_t chunk;
    uint8_t flags;
    uint16_t length;
    uint8_t parameters[16];
};

Bytes transport(uint8_t protocol, uint16_t port)
{
    Bytes packet;
    switch (protocol) {
    case IPPROTO_TCP: {
        tcphdr tcp{};
        tcp.source = htons(SOURCE_PORT);
        tcp.dest = htons(port);
        tcp.doff = sizeof(tcp) / 4;
        tcp.syn = 1;
        append(packet, tcp);
        break;
    }
    case IPPROTO_UDP:
        append(packet, udphdr{.source = htons(SOURCE_PORT),
                              .dest = htons(port),
                              .len = htons(sizeof(udphdr)),
                              .check = 0});
        break;
    case IPPROTO_SCTP:
        append(packet, SctpInit{.source = htons(SOURCE_PORT),
                                .destination = htons(port),
                                .tag = 0,
                                .checksum = 0,
                                .chunk = 1,
                                .flags = 0,
                                .length = htons(20),
                                .parameters = {}});
        break;
    case IPPROTO_ICMP:
    case IPPROTO_ICMPV6: {
        icmphdr echo{};
        echo.type = protocol == IPPROTO_ICMP ? ICMP_ECHO : ICMPV6_ECHO_REQUEST;
        echo.un.echo.id = htons(1);
        append(packet, echo);
        break;
    }
    default:
        packet.resize(8);
    }
    return packet;
}

void append_ethernet(Bytes& packet, uint16_t type)
{
    ethhdr ethernet{};
    ethernet.h_proto = htons(type);
    append(packet, ethernet);
}

void append_ipv4(Bytes& packet, const TraceQuestion& question, size_t payload)
{
    iphdr ip{};
    ip.version = 4;
    ip.ihl = sizeof(ip) / 4;
    ip.ttl = 64;
    ip.protocol = question.protocol;
    ip.tot_len = htons(static_cast<uint16_t>(sizeof(ip) + payload));
    std::copy_n(question.source.bytes.begin() + 12, 4, reinterpret_cast<uint8_t*>(&ip.saddr));
    std::copy_n(question.destination.bytes.begin() + 12, 4, reinterpret_cast<uint8_t*>(&ip.daddr));
    append(packet, ip);
}

void append_ipv6(Bytes& packet, const TraceQuestion& question, size_t payload)
{
    ipv6hdr ip{};
    ip.version = 6;
    ip.hop_limit = 64;
    ip.nexthdr = question.protocol;
    ip.payload_len = htons(static_cast<uint16_t>(payload));
    std::ranges::copy(question.source.bytes, ip.saddr.s6_addr);
    std::ranges::copy(question.destination.bytes, ip.daddr.s6_addr);
    append(packet, ip);
}

} // namespace

Result<std::vector<uint8_t>> build_probe(const TraceQuestion& question)
{
    const bool v4 = question.source.is_v4();
    if (v4 != question.destination.is_v4())
        return fail(EINVAL, "the addresses " + question.source.text() + " and " +
                                question.destination.text() + " are of two families");
    const Bytes payload = transport(question.protocol, question.port);
    Bytes packet;
    append_ethernet(packet, v4 ? ETH_P_IP : ETH_P_IPV6);
    if (v4)
        append_ipv4(packet, question, payload.size());
    else
        append_ipv6(packet, question, payload.size());
    packet.insert(packet.end(), payload.begin(), payload.end());
    return packet;
}

} // namespace ebpfd
