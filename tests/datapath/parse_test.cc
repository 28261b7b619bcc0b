// SPDX-License-Identifier: Apache-2.0
#include "datapath/bench.h"
#include "datapath/policies.h"

#include <algorithm>
#include <gtest/gtest.h>

using namespace bench;
using namespace lab;

namespace {

struct Row {
    const char* name;
    const std::string* policy;
    Bytes packet; // arrives for shop/web
    Judged judged;
};

void PrintTo(const Row& row, std::ostream* out)
{
    *out << describe(row.packet);
}

// One load of the programs serves all rows.
class Parse : public testing::TestWithParam<Row> {
protected:
    static void SetUpTestSuite() { bench_ = new Bench; }
    static void TearDownTestSuite()
    {
        delete bench_;
        bench_ = nullptr;
    }
    static inline Bench* bench_ = nullptr;
};

TEST_P(Parse, ArrivingPacket)
{
    bench_->enforce(*GetParam().policy);
    EXPECT_EQ(bench_->to_web(GetParam().packet), GetParam().judged) << describe(GetParam().packet);
}

Packet from_db()
{
    return Packet{}.eth().ipv4(db_v4, web_v4);
}

Packet from_db6()
{
    return Packet{}.eth().ipv6(db_v6, web_v6);
}

const Judged by_rule = allowed_by(REASON_RULE);
const Judged denied = denied_by(REASON_DENIED);
const Judged malformed = denied_by(REASON_MALFORMED);

Bytes with_byte(Bytes frame, size_t at, uint8_t value)
{
    frame.at(at) = value;
    return frame;
}

constexpr size_t ip_at = 14;

// IPv6 with db's IPv4 address as its source, the way the maps write it.
Bytes from_mapped_address()
{
    Bytes frame = from_db6().tcp(1, 80, SYN).bytes();
    const auto mapped = ebpfd::IpAddress::parse(db_v4).value().bytes;
    std::ranges::copy(mapped, frame.begin() + ip_at + 8);
    return frame;
}

std::string name_of_row(const testing::TestParamInfo<Row>& row)
{
    return row.param.name;
}

INSTANTIATE_TEST_SUITE_P(
    Transports, Parse,
    testing::Values(
        Row{"Tcp", &policies::narrow, from_db().tcp(1000, 80, SYN).bytes(), by_rule},
        Row{"TcpOtherPort", &policies::narrow, from_db().tcp(1000, 81, SYN).bytes(), denied},
        Row{"Tcp6", &policies::narrow, from_db6().tcp(1000, 80, SYN).bytes(), by_rule},
        Row{"Tcp6OtherPort", &policies::narrow, from_db6().tcp(1000, 81, SYN).bytes(), denied},
        Row{"Udp", &policies::narrow, from_db().udp(1000, 80).bytes(), by_rule},
        Row{"UdpOtherPort", &policies::narrow, from_db().udp(1000, 81).bytes(), denied},
        Row{"Sctp", &policies::narrow, from_db().sctp(1000, 80).bytes(), by_rule},
        Row{"SctpOtherPort6", &policies::narrow, from_db6().sctp(1000, 81).bytes(), denied},
        Row{"PingNeedsRuleWithoutPorts", &policies::narrow, from_db().echo_request(7).bytes(),
            denied},
        Row{"Ping", &policies::friends, from_db().echo_request(7).bytes(), by_rule},
        Row{"Ping6", &policies::friends, from_db6().echo_request(7).bytes(), by_rule},
        Row{"OtherProtocol", &policies::friends, from_db().raw(47, Bytes(8)).bytes(), by_rule},
        Row{"OtherProtocolNeedsRuleWithoutPorts", &policies::narrow,
            from_db().raw(47, Bytes(8)).bytes(), denied},
        Row{"OtherPeer", &policies::friends,
            Packet{}.eth().ipv4(api_v4, web_v4).tcp(1000, 80, SYN).bytes(), denied},
        Row{"NotIsolated", &policies::closed_egress, from_db().tcp(1000, 81, SYN).bytes(),
            allowed_by(REASON_NO_POLICY)}),
    name_of_row);

INSTANTIATE_TEST_SUITE_P(
    Headers, Parse,
    testing::Values(
        Row{"Vlan", &policies::narrow,
            Packet{}.eth().vlan(5).ipv4(db_v4, web_v4).tcp(1000, 80, SYN).bytes(), by_rule},
        Row{"VlanInVlan", &policies::narrow,
            Packet{}.eth().vlan(5, 0x88a8).vlan(6).ipv4(db_v4, web_v4).tcp(1000, 81, SYN).bytes(),
            denied},
        Row{"ThreeVlanTagsAreNotIp", &policies::narrow,
            Packet{}.eth().vlan(1).vlan(2).vlan(3).ipv4(db_v4, web_v4).tcp(1, 80, SYN).bytes(),
            denied_by(REASON_NOT_IP)},
        Row{"IpOptions", &policies::narrow,
            Packet{}.eth().ipv4(db_v4, web_v4, Bytes(40, 1)).tcp(1000, 80, SYN).bytes(), by_rule},
        Row{"IpOptionsHideNoPort", &policies::narrow,
            Packet{}.eth().ipv4(db_v4, web_v4, Bytes(40, 1)).tcp(1000, 81, SYN).bytes(), denied},
        Row{"HopByHop", &policies::narrow, from_db6().hop_by_hop().tcp(1000, 80, SYN).bytes(),
            by_rule},
        Row{"ExtensionsHideNoPort", &policies::narrow,
            from_db6()
                .hop_by_hop(3)
                .destination_options(2)
                .authentication()
                .tcp(1, 81, SYN)
                .bytes(),
            denied},
        Row{"Extensions", &policies::narrow,
            from_db6()
                .hop_by_hop(3)
                .destination_options(2)
                .authentication()
                .tcp(1, 80, SYN)
                .bytes(),
            by_rule},
        Row{"RoutingDone", &policies::narrow, from_db6().routing(4, 0).tcp(1, 80, SYN).bytes(),
            by_rule},
        Row{"RoutingWithSegmentsLeft", &policies::narrow,
            from_db6().routing(0, 1).tcp(1, 80, SYN).bytes(), denied_by(REASON_SOURCE_ROUTED)},
        Row{"AtomicFragment", &policies::narrow,
            from_db6().fragment(9, 0, false).tcp(1, 80, SYN).bytes(), by_rule},
        Row{"EndlessExtensions", &policies::narrow,
            from_db6()
                .destination_options()
                .destination_options()
                .destination_options()
                .destination_options()
                .destination_options()
                .destination_options()
                .destination_options()
                .destination_options()
                .destination_options()
                .tcp(1, 80, SYN)
                .bytes(),
            malformed},
        Row{"Arp", &policies::closed, Packet{}.eth().arp(db_v4, web_v4).bytes(),
            allowed_by(REASON_NEIGHBOR)},
        Row{"NeighborSolicitation", &policies::closed,
            with_byte(from_db6().neighbor_solicitation(web_v6).bytes(), ip_at + 7, 255),
            allowed_by(REASON_NEIGHBOR)},
        Row{"NeighborSolicitationFromAfar", &policies::closed,
            with_byte(from_db6().neighbor_solicitation(web_v6).bytes(), ip_at + 7, 64), denied},
        Row{"OtherEthertype", &policies::closed, Packet{}.eth().ethertype(0x88cc).bytes(),
            denied_by(REASON_NOT_IP)},
        Row{"OtherEthertypeNotIsolated", &policies::none, Packet{}.eth().ethertype(0x88cc).bytes(),
            allowed_by(REASON_NO_POLICY)}),
    name_of_row);

INSTANTIATE_TEST_SUITE_P(
    Malformed, Parse,
    testing::Values(
        Row{"CutInTcp", &policies::friends, cut(from_db().tcp(1, 80, SYN).bytes(), 40), malformed},
        Row{"CutInUdp6", &policies::friends, cut(from_db6().udp(1, 80).bytes(), 58), malformed},
        Row{"CutInExtension", &policies::friends,
            cut(from_db6().hop_by_hop().tcp(1, 80, SYN).bytes(), 56), malformed},
        Row{"VersionThatIsNot4", &policies::friends,
            with_byte(from_db().tcp(1, 80, SYN).bytes(), ip_at, 0x55), malformed},
        Row{"HeaderLengthBelow5", &policies::friends,
            with_byte(from_db().tcp(1, 80, SYN).bytes(), ip_at, 0x44), malformed},
        Row{"TotalLengthBelowHeader", &policies::friends,
            with_byte(with_byte(from_db().tcp(1, 80, SYN).bytes(), ip_at + 2, 0), ip_at + 3, 19),
            malformed},
        Row{"TotalLengthEndsInTcp", &policies::friends,
            with_byte(with_byte(from_db().tcp(1, 80, SYN).bytes(), ip_at + 2, 0), ip_at + 3, 30),
            malformed},
        Row{"TotalLengthBeyondFrame", &policies::friends,
            with_byte(from_db().tcp(1, 80, SYN).bytes(), ip_at + 2, 9), malformed},
        Row{"ExtensionInPadding", &policies::friends,
            with_byte(from_db6().routing(0, 1).tcp(1, 80, SYN).bytes(), ip_at + 5, 7), malformed},
        Row{"MappedAddressOnTheWire", &policies::friends, from_mapped_address(), malformed},
        Row{"MalformedNotIsolated", &policies::none, cut(from_db().tcp(1, 80, SYN).bytes(), 40),
            allowed_by(REASON_NO_POLICY)}),
    name_of_row);

} // namespace
