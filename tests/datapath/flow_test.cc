// SPDX-License-Identifier: Apache-2.0
#include "datapath/bench.h"
#include "datapath/policies.h"

#include <gtest/gtest.h>

using namespace bench;
using namespace lab;

namespace {

const Judged by_rule = allowed_by(REASON_RULE);
const Judged denied = denied_by(REASON_DENIED);

Packet web_to_db()
{
    return Packet{}.eth().ipv4(web_v4, db_v4);
}
Packet db_to_web()
{
    return Packet{}.eth().ipv4(db_v4, web_v4);
}

// web connects to db's port 5432.
void connect(Bench& bench)
{
    EXPECT_EQ(bench.from_web(web_to_db().tcp(4000, 5432, SYN)).outcome, VERDICT_ALLOW);
    EXPECT_EQ(bench.to_web(db_to_web().tcp(5432, 4000, SYN | ACK)).outcome, VERDICT_ALLOW);
    EXPECT_EQ(bench.from_web(web_to_db().tcp(4000, 5432, ACK)).outcome, VERDICT_ALLOW);
}

TEST(Flow, ReplyPassesThoughItsDirectionDeniesAll)
{
    Bench bench;
    bench.enforce(policies::narrow);
    connect(bench);
    const auto flows = bench.flows();
    ASSERT_EQ(flows.size(), 1u);
    const auto& flow = flows[0].second;
    EXPECT_EQ(flow.direction, DIRECTION_EGRESS);
    EXPECT_EQ(flow.state, FLOW_ESTABLISHED);
    EXPECT_EQ(flow.packets[DIRECTION_EGRESS], 2u);
    EXPECT_EQ(flow.packets[DIRECTION_INGRESS], 1u);
}

TEST(Flow, NewConnectionInReverseIsJudgedForItself)
{
    Bench bench;
    bench.enforce(policies::narrow);
    connect(bench);
    EXPECT_EQ(bench.to_web(db_to_web().tcp(5432, 4000, SYN)), denied);
    // The connection that is open is not hurt by it.
    EXPECT_EQ(bench.from_web(web_to_db().tcp(4000, 5432, ACK)), by_rule);
    EXPECT_EQ(bench.to_web(db_to_web().tcp(5432, 4000, ACK)), by_rule);
}

TEST(Flow, PacketWithoutConnectionIsJudgedInItsDirection)
{
    Bench bench;
    bench.enforce(policies::narrow);
    EXPECT_EQ(bench.from_web(web_to_db().tcp(80, 1000, ACK)), denied);
    EXPECT_EQ(bench.to_web(db_to_web().tcp(1000, 80, ACK)), by_rule);
}

TEST(Flow, ForgottenSynIsJudgedAgainByItsAnswer)
{
    Bench bench;
    bench.enforce(policies::narrow);
    EXPECT_EQ(bench.to_web(db_to_web().tcp(5432, 4000, SYN | ACK)), by_rule);
    EXPECT_EQ(bench.to_web(db_to_web().tcp(5433, 4000, SYN | ACK)), denied);
    bench.enforce(policies::closed_egress);
    EXPECT_EQ(bench.to_web(db_to_web().tcp(5432, 4001, SYN | ACK)), denied);
}

TEST(Flow, PolicyChangeCutsBothDirectionsOnTheNextPacket)
{
    for (const bool pod_first : {true, false}) {
        Bench bench;
        bench.enforce(policies::narrow);
        connect(bench);
        bench.enforce(policies::closed_egress);
        const auto from = [&] { return bench.from_web(web_to_db().tcp(4000, 5432, ACK)); };
        const auto to = [&] { return bench.to_web(db_to_web().tcp(5432, 4000, ACK)); };
        // Ingress is not isolated: what is cut must not come back as opened from outside.
        EXPECT_EQ(pod_first ? from() : to(), denied);
        EXPECT_EQ(pod_first ? to() : from(), denied);
        EXPECT_EQ(pod_first ? from() : to(), denied);
        bench.enforce(policies::narrow);
        EXPECT_EQ(to(), by_rule);
        EXPECT_EQ(from(), by_rule);
    }
}

TEST(Flow, UnansweredFlowIsCutToo)
{
    Bench bench;
    bench.enforce(policies::narrow);
    EXPECT_EQ(bench.from_web(web_to_db().udp(4000, 53)), by_rule);
    bench.enforce(policies::closed_egress);
    EXPECT_EQ(bench.to_web(db_to_web().udp(53, 4000)), denied);
    EXPECT_EQ(bench.to_web(db_to_web().udp(53, 4000)), denied);
    EXPECT_EQ(bench.from_web(web_to_db().udp(4000, 53)), denied);
}

TEST(Flow, AllowedConnectionSurvivesPolicyChange)
{
    Bench bench;
    bench.enforce(policies::narrow);
    connect(bench);
    bench.enforce(policies::friends);
    EXPECT_EQ(bench.to_web(db_to_web().tcp(5432, 4000, ACK)), by_rule);
    bench.enforce(policies::none);
    EXPECT_EQ(bench.from_web(web_to_db().tcp(4000, 5432, ACK)), allowed_by(REASON_NO_POLICY));
    EXPECT_EQ(bench.flows().at(0).second.packets[DIRECTION_EGRESS], 3u);
}

TEST(Flow, RefusedConnectionIsNotEntered)
{
    Bench bench;
    bench.enforce(policies::closed);
    EXPECT_EQ(bench.to_web(db_to_web().tcp(1000, 80, SYN)), denied);
    EXPECT_TRUE(bench.maps().flows(true)->empty());
}

TEST(Flow, EchoReplyPassesAndPingInReverseIsJudged)
{
    Bench bench;
    bench.enforce(policies::friends);
    EXPECT_EQ(bench.from_web(web_to_db().echo_request(7)), by_rule);
    bench.enforce(policies::closed_ingress);
    EXPECT_EQ(bench.from_web(web_to_db().echo_request(7)), allowed_by(REASON_NO_POLICY));
    EXPECT_EQ(bench.to_web(db_to_web().echo_reply(7)), allowed_by(REASON_NO_POLICY));
    EXPECT_EQ(bench.to_web(db_to_web().echo_request(7)), denied);
    EXPECT_EQ(bench.to_web(db_to_web().echo_reply(8)), denied);
}

TEST(Flow, IcmpErrorPassesWithTheConnectionItQuotes)
{
    Bench bench;
    bench.enforce(policies::narrow);
    connect(bench);
    const auto quoted = from_ip(web_to_db().tcp(4000, 5432, ACK).bytes());
    EXPECT_EQ(bench.to_web(Packet{}.eth().ipv4(outside_v4, web_v4).unreachable(quoted)),
              allowed_by(REASON_ICMP_ERROR));
    const auto foreign = from_ip(web_to_db().tcp(4000, 9999, ACK).bytes());
    EXPECT_EQ(bench.to_web(Packet{}.eth().ipv4(outside_v4, web_v4).unreachable(foreign)), denied);
}

TEST(Flow, IcmpErrorMustGoToTheSenderOfWhatItQuotes)
{
    Bench bench;
    bench.enforce(policies::narrow);
    connect(bench);
    // web quotes a true packet of db, but sends the error to somebody else.
    const auto quoted = from_ip(db_to_web().tcp(5432, 4000, ACK).bytes());
    EXPECT_EQ(bench.from_web(Packet{}.eth().ipv4(web_v4, db_v4).unreachable(quoted)),
              allowed_by(REASON_ICMP_ERROR));
    EXPECT_EQ(bench.from_web(Packet{}.eth().ipv4(web_v4, outside_v4).unreachable(quoted)), denied);
}

TEST(Flow, IcmpErrorIpv6WithExtensionInItsQuote)
{
    Bench bench;
    bench.enforce(policies::narrow);
    const auto sent = Packet{}.eth().ipv6(web_v6, db_v6).hop_by_hop().udp(4000, 53);
    EXPECT_EQ(bench.from_web(sent), by_rule);
    EXPECT_EQ(
        bench.to_web(Packet{}.eth().ipv6(outside_v6, web_v6).unreachable(from_ip(sent.bytes()))),
        allowed_by(REASON_ICMP_ERROR));
}

TEST(Flow, LaterFragmentSharesTheVerdictOfTheFirst)
{
    for (const bool v6 : {false, true}) {
        Bench bench;
        bench.enforce(policies::narrow);
        const auto datagram = [&](uint16_t port) {
            return (v6 ? Packet{}.eth().ipv6(db_v6, web_v6) : db_to_web())
                .udp(1000, port)
                .payload(std::string(100, 'x'))
                .bytes();
        };
        const auto good = fragments(datagram(80), 40, 1);
        EXPECT_EQ(bench.to_web(good.at(0)), by_rule);
        EXPECT_EQ(bench.to_web(good.at(1)), by_rule);
        EXPECT_EQ(bench.to_web(good.at(2)), by_rule);
        const auto bad = fragments(datagram(81), 40, 2);
        EXPECT_EQ(bench.to_web(bad.at(0)), denied);
        EXPECT_EQ(bench.to_web(bad.at(1)), denied);
        const auto orphan = fragments(datagram(80), 40, 3);
        EXPECT_EQ(bench.to_web(orphan.at(1)), denied_by(REASON_FRAGMENT));
        bench.enforce(policies::none);
        EXPECT_EQ(bench.to_web(orphan.at(1)), allowed_by(REASON_NO_POLICY));
    }
}

TEST(Flow, FullFragmentTableRefusesWhatFollowsTheOldestOnly)
{
    Bench bench; // room for 64
    bench.enforce(policies::narrow);
    const auto datagram = [](uint16_t number) {
        return fragments(db_to_web().udp(1000, 80).payload(std::string(100, 'x')).bytes(), 40,
                         number);
    };
    constexpr uint16_t last = 300;
    for (uint16_t number = 1; number <= last; ++number)
        ASSERT_EQ(bench.to_web(datagram(number).at(0)), by_rule);
    EXPECT_EQ(bench.to_web(datagram(last).at(1)), by_rule);
    EXPECT_EQ(bench.to_web(datagram(1).at(1)), denied_by(REASON_FRAGMENT));
    EXPECT_EQ(bench.losses().fragments_full, 0u);
}

TEST(Flow, TinyFirstFragmentIsRefused)
{
    Bench bench;
    bench.enforce(policies::friends);
    const auto pieces = fragments(db_to_web().tcp(1000, 80, SYN).bytes(), 8, 5);
    EXPECT_EQ(bench.to_web(pieces.at(0)), denied_by(REASON_MALFORMED));
}

TEST(Flow, StateFollowsTcp)
{
    Bench bench;
    bench.enforce(policies::narrow);
    const auto state = [&] { return bench.flows().at(0).second.state; };
    connect(bench);
    EXPECT_EQ(state(), FLOW_ESTABLISHED);
    bench.from_web(web_to_db().tcp(4000, 5432, FIN | ACK));
    EXPECT_EQ(state(), FLOW_CLOSING);
    bench.to_web(db_to_web().tcp(5432, 4000, FIN | ACK));
    EXPECT_EQ(state(), FLOW_CLOSED);
    bench.from_web(web_to_db().tcp(4000, 5432, ACK));
    EXPECT_EQ(state(), FLOW_CLOSED);
    connect(bench); // the same ports again
    EXPECT_EQ(state(), FLOW_ESTABLISHED);
    EXPECT_EQ(bench.flows().at(0).second.packets[DIRECTION_EGRESS], 2u);
    bench.to_web(db_to_web().tcp(5432, 4000, RST));
    EXPECT_EQ(state(), FLOW_CLOSED);
    bench.from_web(web_to_db().tcp(4000, 5432, ACK)); // the reset was not believed
    EXPECT_EQ(state(), FLOW_ESTABLISHED);
}

TEST(Flow, OwnNodeReachesThePodButNobodyInItsName)
{
    Bench bench;
    bench.enforce(policies::closed);
    const auto probe = Packet{}.eth().ipv4(node_v4, web_v4).tcp(1000, 8080, SYN);
    EXPECT_EQ(bench.to_web(probe, bench.db_ifindex()), denied);
    EXPECT_EQ(bench.to_web(probe), allowed_by(REASON_NODE));
    EXPECT_EQ(bench.from_web(Packet{}.eth().ipv4(web_v4, node_v4).tcp(8080, 1000, SYN | ACK)),
              allowed_by(REASON_NODE));
    // The other way round it is a connection like any other.
    EXPECT_EQ(bench.from_web(Packet{}.eth().ipv4(web_v4, node_v4).tcp(1000, 22, SYN)), denied);
}

TEST(Flow, PodReachesItself)
{
    Bench bench;
    bench.enforce(policies::closed);
    EXPECT_EQ(bench.to_web(Packet{}.eth().ipv4(web_v4, web_v4).tcp(1000, 80, SYN)),
              allowed_by(REASON_SELF));
}

TEST(Flow, NobodySendsInAnothersName)
{
    const Judged spoofed = denied_by(REASON_SPOOFED);
    Bench bench;
    bench.enforce(policies::none);
    const auto as = [](std::string_view source) {
        return Packet{}.eth().ipv4(source, db_v4).udp(1000, 53);
    };
    EXPECT_EQ(bench.from_web(as(web_v4)), allowed_by(REASON_NO_POLICY));
    EXPECT_EQ(bench.from_web(as(api_v4)), spoofed); // on the ports of a flow of its own
    EXPECT_EQ(bench.from_web(as(node_v4)), spoofed);
    EXPECT_EQ(bench.from_web(as(db_v4)), spoofed);
    EXPECT_EQ(bench.from_web(as(outside_v4)), spoofed);
    EXPECT_EQ(bench.from_web(as("0.0.0.0")), allowed_by(REASON_NO_POLICY)); // DHCP
    EXPECT_EQ(bench.from_web(Packet{}.eth().ipv6("fe80::1", db_v6).udp(1000, 53)),
              allowed_by(REASON_NO_POLICY));
}

TEST(Flow, PodsOwnAddressIsNotBelievedFromAnotherPod)
{
    Bench bench;
    bench.enforce(policies::closed);
    const auto land = Packet{}.eth().ipv4(web_v4, web_v4).udp(1000, 80);
    EXPECT_EQ(bench.to_web(land, bench.db_ifindex()), denied);
    EXPECT_EQ(bench.to_web(land, bench.web_ifindex()), allowed_by(REASON_SELF));
}

TEST(Flow, FullTableNeverBlocksEstablishedFlows)
{
    Bench bench;
    auto options = bench.options();
    options.capacities.flows = 4;
    bench.reload(options);
    bench.enforce(policies::closed_ingress);
    const auto exchange = [&](uint16_t port) {
        EXPECT_EQ(bench.from_web(web_to_db().udp(port, 53)).outcome, VERDICT_ALLOW);
        EXPECT_EQ(bench.to_web(db_to_web().udp(53, port)).outcome, VERDICT_ALLOW);
    };
    for (uint16_t port = 1000; port < 1200; port++)
        exchange(port);
    EXPECT_GT(bench.losses().flows_full, 100u);
    EXPECT_GT(bench.flows().size(), 0u);
    // Those of the table, and the latest of those that found no room.
    for (const auto& [key, flow] : bench.flows())
        exchange(__builtin_bswap16(key.pod_port));
    EXPECT_EQ(bench.to_web(db_to_web().udp(53, 1199)).outcome, VERDICT_ALLOW);
}

TEST(Flow, AuditJudgesAndDropsNothing)
{
    const Judged would_be{VERDICT_WOULD_DENY, REASON_DENIED};
    Bench bench;
    auto options = bench.options();
    options.audit = true;
    bench.reload(options);
    bench.enforce(policies::closed_egress);
    EXPECT_EQ(bench.from_web(web_to_db().udp(4000, 53)), would_be);
    // Ingress is not isolated: the answer must not pass for a connection of its own.
    EXPECT_EQ(bench.to_web(db_to_web().udp(53, 4000)), would_be);
    EXPECT_EQ(bench.from_web(web_to_db().udp(4000, 53)), would_be);
    const auto events = bench.events();
    ASSERT_FALSE(events.empty());
    EXPECT_EQ(events[0].type, EVENT_DROP);
    EXPECT_EQ(events[0].verdict, VERDICT_WOULD_DENY);
    EXPECT_EQ(bench.flows().at(0).second.verdict, VERDICT_WOULD_DENY);
}

// Until it is known whose it is.
TEST(Flow, AClosedInterfaceLetsPacketsThroughInAuditModeAlone)
{
    Bench bench;
    const auto passes = [&bench] {
        return bench.hook("closed", bench.web_ifindex()).passes(web_to_db().udp(4000, 53).bytes());
    };
    EXPECT_FALSE(passes());
    auto options = bench.options();
    options.audit = true;
    bench.reload(options);
    EXPECT_TRUE(passes());
}

} // namespace
