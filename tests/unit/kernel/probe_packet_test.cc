// SPDX-License-Identifier: Apache-2.0
#include "kernel/probe_packet.h"

#include <gtest/gtest.h>

using namespace ebpfd;

namespace {

std::vector<uint8_t> probe(uint8_t protocol, const char* source, const char* destination)
{
    return build_probe({.source = *IpAddress::parse(source),
                        .destination = *IpAddress::parse(destination),
                        .protocol = protocol,
                        .port = 0x1234})
        .value_or(std::vector<uint8_t>{});
}

} // namespace

TEST(ProbePacket, TcpOpensWithSyn)
{
    const auto packet = probe(6, "10.1.0.10", "10.1.0.20");
    ASSERT_EQ(packet.size(), 14u + 20 + 20);
    EXPECT_EQ(packet[12], 0x08);     // IPv4
    EXPECT_EQ(packet[14], 0x45);     // five words of header
    EXPECT_EQ(packet[17], 40);       // total length
    EXPECT_EQ(packet[14 + 9], 6);    // protocol
    EXPECT_EQ(packet[14 + 19], 20);  // destination
    EXPECT_EQ(packet[34 + 2], 0x12); // port
    EXPECT_EQ(packet[34 + 3], 0x34);
    EXPECT_EQ(packet[34 + 12], 0x50); // five words of header
    EXPECT_EQ(packet[34 + 13], 0x02); // SYN alone
}

TEST(ProbePacket, Ipv6CarriesEveryProtocol)
{
    struct Case {
        uint8_t protocol;
        size_t size;
        uint8_t first;
    };
    for (const auto& [protocol, size, first] :
         {Case{6, 20, 0xc0}, Case{17, 8, 0xc0}, Case{132, 32, 0xc0}, Case{58, 8, 128},
          Case{47, 8, 0}}) {
        const auto packet = probe(protocol, "fd00:1::10", "fd00:1::20");
        ASSERT_EQ(packet.size(), 14u + 40 + size) << int{protocol};
        EXPECT_EQ(packet[12], 0x86);
        EXPECT_EQ(packet[14 + 5], size);
        EXPECT_EQ(packet[14 + 6], protocol);
        EXPECT_EQ(packet[14 + 39], 0x20);
        EXPECT_EQ(packet[54], first);
    }
}

TEST(ProbePacket, IcmpOfIpv4IsAnEchoRequest)
{
    EXPECT_EQ(probe(1, "10.1.0.10", "10.1.0.20")[34], 8);
}

TEST(ProbePacket, TwoFamiliesAreRefused)
{
    EXPECT_FALSE(build_probe({.source = *IpAddress::parse("10.1.0.10"),
                              .destination = *IpAddress::parse("fd00:1::20")}));
}
