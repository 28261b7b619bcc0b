// SPDX-License-Identifier: Apache-2.0
#include "base/fd.h"
#include "datapath/bench.h"
#include "datapath/policies.h"
#include "ebpfd/identity.h"
#include "model/address.h"

#include <algorithm>
#include <bpf/bpf.h>
#include <gtest/gtest.h>

using namespace bench;
using namespace lab;

namespace {

const Judged denied = denied_by(REASON_DENIED);
const Judged spoofed = denied_by(REASON_SPOOFED);
const Judged node = allowed_by(REASON_NODE);

Packet web_to_db()
{
    return Packet{}.eth().ipv4(web_v4, db_v4);
}
Packet db_to_web()
{
    return Packet{}.eth().ipv4(db_v4, web_v4);
}

TEST(Attack, NodeStaysConnectedWhenThePodIsIsolated)
{
    Bench bench;
    bench.enforce(policies::none);
    const auto from_node = Packet{}.eth().ipv4(node_v4, web_v4);
    bench.to_web(Packet(from_node).tcp(1000, 8080, SYN));
    bench.from_web(Packet{}.eth().ipv4(web_v4, node_v4).tcp(8080, 1000, SYN | ACK));
    bench.enforce(policies::closed);
    EXPECT_EQ(bench.to_web(Packet(from_node).tcp(1000, 8080, ACK)), node);
}

TEST(Attack, NodeStaysConnectedWhilePoliciesComeAndGo)
{
    Bench bench;
    bench.enforce(policies::closed);
    const auto from_node = Packet{}.eth().ipv4(node_v4, web_v4);
    EXPECT_EQ(bench.to_web(Packet(from_node).tcp(1000, 8080, SYN)), node);
    bench.from_web(Packet{}.eth().ipv4(web_v4, node_v4).tcp(8080, 1000, SYN | ACK));
    bench.enforce(policies::none);
    bench.to_web(Packet(from_node).tcp(1000, 8080, ACK));
    bench.enforce(policies::closed);
    EXPECT_EQ(bench.to_web(Packet(from_node).tcp(1000, 8080, ACK)), node);
}

TEST(Attack, PodStaysConnectedToItselfWhenItIsIsolated)
{
    Bench bench;
    bench.enforce(policies::none);
    const auto own = Packet{}.eth().ipv4(web_v4, web_v4);
    bench.to_web(Packet(own).udp(1000, 80), bench.web_ifindex());
    bench.enforce(policies::closed);
    EXPECT_EQ(bench.to_web(Packet(own).udp(1000, 80), bench.web_ifindex()),
              allowed_by(REASON_SELF));
}

TEST(Attack, IcmpErrorCannotBeSentInAnothersName)
{
    Bench bench;
    bench.enforce(policies::none);
    const auto quoted = from_ip(Packet{}.eth().ipv4(api_v4, db_v4).udp(1000, 53).bytes());
    EXPECT_EQ(bench.from_web(Packet{}.eth().ipv4(db_v4, api_v4).unreachable(quoted)), spoofed);
}

TEST(Attack, IcmpErrorIsNoWayOutOfAPodWithoutEgress)
{
    Bench bench;
    bench.enforce(policies::closed_egress);
    // web claims that outside sent it something, which nobody ever saw.
    const auto quoted = from_ip(Packet{}.eth().ipv4(outside_v4, web_v4).udp(1, 2).bytes());
    EXPECT_EQ(bench.from_web(Packet{}.eth().ipv4(web_v4, outside_v4).unreachable(quoted)), denied);
}

TEST(Attack, IcmpErrorIsNoWayIntoAPodWithoutIngress)
{
    Bench bench;
    bench.enforce(policies::closed_ingress);
    const auto quoted = from_ip(web_to_db().udp(1, 2).bytes());
    EXPECT_EQ(bench.to_web(Packet{}.eth().ipv4(db_v4, web_v4).unreachable(quoted)), denied);
}

// What a frame has behind the packet that its IP header tells of is no part of the packet.
TEST(Attack, PaddingQuotesNothing)
{
    Bench bench;
    bench.enforce(policies::narrow);
    const auto sent = Packet{}.eth().ipv4(web_v4, db_v4).tcp(4000, 5432, SYN);
    EXPECT_EQ(bench.from_web(sent), allowed_by(REASON_RULE));
    constexpr size_t total_at = 14 + 3, quote = 20 + 8;
    Bytes error =
        Packet{}.eth().ipv4(outside_v4, web_v4).unreachable(from_ip(sent.bytes())).bytes();
    error.at(total_at) = quote + 20 + 4;
    EXPECT_EQ(bench.to_web(error), allowed_by(REASON_ICMP_ERROR));
    error.at(total_at) = quote + 20 + 3;
    EXPECT_EQ(bench.to_web(error), denied);
}

TEST(Attack, IcmpRedirectFromAnotherPodIsNoError)
{
    Bench bench;
    bench.enforce(policies::closed_ingress);
    const auto sent = web_to_db().udp(4000, 5432);
    bench.from_web(sent);
    EXPECT_EQ(
        bench.to_web(
            Packet{}.eth().ipv4(api_v4, web_v4).icmp(5, 1, from_ip(sent.bytes()), 0x0a01001e)),
        denied);
}

TEST(Attack, Ipv4SourceRouteIsRefusedAsThatOfIpv6)
{
    for (const uint8_t option : {uint8_t{131}, uint8_t{137}}) {
        Bench bench;
        bench.enforce(policies::narrow);
        // To db, and from there on to scan.
        const Bytes route{option, 7, 4, 10, 1, 0, 40, 0};
        EXPECT_EQ(bench.from_web(Packet{}.eth().ipv4(web_v4, db_v4, route).tcp(4000, 5432, SYN)),
                  denied_by(REASON_SOURCE_ROUTED));
    }
}

const std::string db_may_send = R"(
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: in, namespace: shop}
spec:
  podSelector: {matchLabels: {app: web}}
  policyTypes: [Ingress, Egress]
  ingress:
  - from: [{podSelector: {matchLabels: {app: db}}}]
    ports: [{port: 7946, protocol: UDP}]
)";
const std::string web_may_send = R"(
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: out, namespace: shop}
spec:
  podSelector: {matchLabels: {app: web}}
  policyTypes: [Ingress, Egress]
  egress:
  - to: [{podSelector: {matchLabels: {app: db}}}]
    ports: [{port: 7946, protocol: UDP}]
)";

TEST(Attack, CutFlowDoesNotForbidForEverWhatIsAllowedInReverse)
{
    Bench bench;
    bench.enforce(db_may_send);
    bench.to_web(db_to_web().udp(7946, 7946));
    bench.from_web(web_to_db().udp(7946, 7946));
    bench.enforce(web_may_send);
    EXPECT_EQ(bench.to_web(db_to_web().udp(7946, 7946)), denied);
    EXPECT_EQ(bench.from_web(web_to_db().udp(7946, 7946)), denied); // may be the old exchange
    bench.age_flows(std::chrono::seconds(31));
    EXPECT_EQ(bench.from_web(web_to_db().udp(7946, 7946)), allowed_by(REASON_RULE));
}

TEST(Attack, NeighbourMessageIsNoWayOutOfAPodWithoutEgress)
{
    Bench bench;
    bench.enforce(policies::closed);
    Bytes frame = Packet{}.eth().ipv6(web_v6, outside_v6).neighbor_solicitation(outside_v6).bytes();
    frame[14 + 7] = 255; // hop limit
    EXPECT_EQ(bench.from_web(frame), denied);
}

TEST(Attack, PingWithIdentifierZeroOpensNothingInReverse)
{
    Bench bench;
    bench.enforce(R"(
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: out, namespace: shop}
spec:
  podSelector: {matchLabels: {app: web}}
  policyTypes: [Ingress, Egress]
  egress: [{to: [{podSelector: {matchLabels: {app: db}}}]}]
)");
    EXPECT_EQ(bench.from_web(web_to_db().echo_request(0)).outcome, VERDICT_ALLOW);
    EXPECT_EQ(bench.to_web(db_to_web().echo_reply(0)).outcome, VERDICT_ALLOW);
    EXPECT_EQ(bench.to_web(db_to_web().echo_request(0)), denied);
}

TEST(Attack, AddressThatIsGivenToAnotherPodIsNotTheSendersAnyMore)
{
    Bench bench;
    bench.enforce(policies::none);
    const auto sent = Packet{}.eth().ipv4("169.254.9.9", db_v4).udp(1000, 53);
    EXPECT_EQ(bench.from_web(sent).outcome, VERDICT_ALLOW);
    const ebpfd::Fd addresses(bpf_obj_get((bench.options().bpffs + "/maps/address_map").c_str()));
    address_key key{};
    std::ranges::copy(ebpfd::IpAddress::parse("169.254.9.9").value().bytes, key.address);
    const identity_slots slots{.number = {IDENTITY_FIRST, IDENTITY_FIRST}};
    ASSERT_EQ(bpf_map_update_elem(addresses.get(), &key, &slots, BPF_ANY), 0);
    bench.enforce(policies::closed_ingress);
    EXPECT_EQ(bench.from_web(sent), spoofed);
}

} // namespace
