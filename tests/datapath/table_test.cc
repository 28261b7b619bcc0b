// SPDX-License-Identifier: Apache-2.0
#include "datapath/bench.h"
#include "datapath/policies.h"

#include <arpa/inet.h>
#include <atomic>
#include <functional>
#include <gtest/gtest.h>
#include <map>
#include <sched.h>
#include <thread>

// What the flow table does with more flows than it has room for, and with several CPUs at once.
using namespace bench;
using namespace lab;

namespace {

const Judged denied = denied_by(REASON_DENIED);

Packet web_to_db()
{
    return Packet{}.eth().ipv4(web_v4, db_v4);
}
Packet db_to_web()
{
    return Packet{}.eth().ipv4(db_v4, web_v4);
}

// web asks db by UDP, and is answered.
void exchange(Bench& bench, uint16_t port)
{
    EXPECT_EQ(bench.from_web(web_to_db().udp(port, 53)).outcome, VERDICT_ALLOW);
    EXPECT_EQ(bench.to_web(db_to_web().udp(53, port)).outcome, VERDICT_ALLOW);
}

void reload_with(Bench& bench, uint32_t flows)
{
    auto options = bench.options();
    options.capacities.flows = flows;
    bench.reload(options);
    bench.enforce(policies::closed_ingress);
}

TEST(FlowTable, HasRoomForAsManyFlowsAsTheOptionSays)
{
    Bench bench;
    reload_with(bench, 1024);
    for (uint16_t port = 1; port <= 1024; port++)
        exchange(bench, port);
    EXPECT_EQ(bench.flows().size(), 1024u);
    EXPECT_EQ(bench.losses().flows_full, 0u);
    EXPECT_EQ(bench.losses().flows_evicted, 0u);
    for (uint16_t port = 1; port <= 1024; port++)
        EXPECT_EQ(bench.to_web(db_to_web().udp(53, port)).outcome, VERDICT_ALLOW) << port;
}

TEST(FlowTable, FlowsWithoutAnswerMakeRoomAndAnsweredOnesStay)
{
    Bench bench;
    reload_with(bench, 4);
    exchange(bench, 1);
    for (uint16_t port = 2; port < 300; port++)
        EXPECT_EQ(bench.from_web(web_to_db().udp(port, 53)).outcome, VERDICT_ALLOW);
    EXPECT_EQ(bench.to_web(db_to_web().udp(53, 1)).outcome, VERDICT_ALLOW);
    EXPECT_EQ(bench.maps().flows(true)->size(), 8u);
    EXPECT_EQ(bench.losses().flows_evicted, 298u - 7u);
    EXPECT_EQ(bench.losses().flows_full, 0u);
}

// Whoever sends SYNs from addresses of others is answered, but never hears it.
TEST(FlowTable, AnsweredSynsMakeRoomUntilTheirOpenerConfirms)
{
    Bench bench;
    reload_with(bench, 4);
    const auto syn = [&](uint16_t port) {
        EXPECT_EQ(bench.from_web(web_to_db().tcp(port, 80, SYN)).outcome, VERDICT_ALLOW);
        EXPECT_EQ(bench.to_web(db_to_web().tcp(80, port, SYN | ACK)).outcome, VERDICT_ALLOW);
    };
    syn(1);
    EXPECT_TRUE(bench.flows().empty());
    EXPECT_EQ(bench.from_web(web_to_db().tcp(1, 80, ACK)).outcome, VERDICT_ALLOW);
    ASSERT_EQ(bench.flows().size(), 1u);
    for (uint16_t port = 2; port < 300; port++)
        syn(port);
    ASSERT_EQ(bench.flows().size(), 1u);
    EXPECT_EQ(bench.flows()[0].first.pod_port, htons(1));
    EXPECT_EQ(bench.maps().flows(true)->size(), 8u);
    EXPECT_EQ(bench.losses().flows_full, 0u);
    EXPECT_EQ(bench.to_web(db_to_web().tcp(80, 1, ACK)).outcome, VERDICT_ALLOW);
}

// The other side says that it does not believe it, and its opener never hears of it.
TEST(FlowTable, ASynOfSomebodyElseLeavesAnOpenConnectionOpen)
{
    Bench bench;
    bench.enforce(policies::closed_ingress);
    bench.from_web(web_to_db().tcp(1, 80, SYN));
    bench.to_web(db_to_web().tcp(80, 1, SYN | ACK));
    bench.from_web(web_to_db().tcp(1, 80, ACK));
    EXPECT_EQ(bench.from_web(web_to_db().tcp(1, 80, SYN)).outcome, VERDICT_ALLOW);
    EXPECT_EQ(bench.to_web(db_to_web().tcp(80, 1, ACK)).outcome, VERDICT_ALLOW);
    EXPECT_EQ(bench.flows().size(), 1u);
}

TEST(FlowTable, ClosedConnectionsMakeRoomBeforeThoseThatWait)
{
    Bench bench;
    reload_with(bench, 4);
    EXPECT_EQ(bench.from_web(web_to_db().udp(1, 53)).outcome, VERDICT_ALLOW);
    for (uint16_t port = 2; port < 300; port++) {
        EXPECT_EQ(bench.from_web(web_to_db().tcp(port, 80, SYN)).outcome, VERDICT_ALLOW);
        EXPECT_EQ(bench.to_web(db_to_web().tcp(80, port, SYN | ACK)).outcome, VERDICT_ALLOW);
        EXPECT_EQ(bench.from_web(web_to_db().tcp(port, 80, RST)).outcome, VERDICT_ALLOW);
    }
    EXPECT_EQ(bench.to_web(db_to_web().udp(53, 1)).outcome, VERDICT_ALLOW);
    EXPECT_EQ(bench.losses().flows_evicted, 0u);
}

TEST(FlowTable, RefusalsNeverPushOutAFlow)
{
    Bench bench;
    reload_with(bench, 4);
    EXPECT_EQ(bench.from_web(web_to_db().udp(1, 53)).outcome, VERDICT_ALLOW);
    for (uint16_t port = 1; port < 300; port++)
        EXPECT_EQ(bench.to_web(db_to_web().udp(port, 9)), denied);
    EXPECT_EQ(bench.to_web(db_to_web().udp(53, 1)).outcome, VERDICT_ALLOW);
    EXPECT_EQ(bench.maps().flows(true)->size(), 1u);
    EXPECT_EQ(bench.losses().flows_evicted, 0u);
}

TEST(FlowTable, EachPacketOfARefusedFlowIsCountedAndOneIsTold)
{
    Bench bench;
    bench.enforce(policies::closed_ingress);
    for (int i = 0; i < 5; i++)
        EXPECT_EQ(bench.to_web(db_to_web().tcp(1000, 80, SYN)), denied);
    const auto refusals = bench.losses_of(RING_REFUSALS);
    EXPECT_EQ(refusals.delivered, 1u);
    EXPECT_EQ(refusals.suppressed, 4u);
    const auto events = bench.events();
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(bench.maps().hits(events[0].rule)->denied, 5u);
}

TEST(FlowTable, ARefusalIsForgottenWithThePolicyThatMadeIt)
{
    Bench bench;
    bench.enforce(policies::closed_ingress);
    const auto syn = db_to_web().tcp(1000, 80, SYN);
    EXPECT_EQ(bench.to_web(syn), denied);
    EXPECT_EQ(bench.to_web(syn), denied);
    bench.enforce(policies::none);
    EXPECT_EQ(bench.to_web(syn), allowed_by(REASON_NO_POLICY));
    EXPECT_EQ(bench.flows().size() + bench.maps().flows(true)->size(), 1u);
    bench.enforce(policies::closed_ingress);
    EXPECT_EQ(bench.to_web(syn), denied);
}

TEST(FlowTable, ARefusalSaysNothingOfTheOtherDirection)
{
    Bench bench;
    bench.enforce(policies::closed_ingress);
    EXPECT_EQ(bench.to_web(db_to_web().tcp(80, 1000, SYN)), denied);
    // The same key, opened by the pod; then its answer, which the refusal must not outlive.
    EXPECT_EQ(bench.from_web(web_to_db().tcp(1000, 80, SYN)), allowed_by(REASON_NO_POLICY));
    EXPECT_EQ(bench.to_web(db_to_web().tcp(80, 1000, SYN | ACK)), allowed_by(REASON_NO_POLICY));
    EXPECT_EQ(bench.to_web(db_to_web().tcp(80, 1000, ACK)), allowed_by(REASON_NO_POLICY));
}

TEST(FlowTable, ARefusedSynSaysNothingOfAnAnswerToAForgottenOne)
{
    Bench bench;
    bench.enforce(policies::closed_ingress);
    EXPECT_EQ(bench.to_web(db_to_web().tcp(80, 1000, SYN)), denied);
    EXPECT_EQ(bench.to_web(db_to_web().tcp(80, 1000, SYN)), denied);
    EXPECT_EQ(bench.to_web(db_to_web().tcp(80, 1000, SYN | ACK)), allowed_by(REASON_NO_POLICY));
}

TEST(FlowTable, WhoLiesAboutTheNodesAddressTakesNothingFromTheNode)
{
    Bench bench;
    bench.enforce(policies::closed_ingress);
    const auto probe = Packet{}.eth().ipv4(node_v4, web_v4).tcp(1000, 80, SYN);
    EXPECT_EQ(bench.to_web(probe, bench.db_ifindex()).outcome, VERDICT_DENY);
    EXPECT_EQ(bench.to_web(probe, bench.db_ifindex()).outcome, VERDICT_DENY);
    EXPECT_EQ(bench.to_web(probe), allowed_by(REASON_NODE));
}

TEST(FlowTable, PlainPacketsAreCountedLikeAllOthers)
{
    struct Case {
        const char* name;
        std::function<Packet(bool out)> packet;
        Packet open;
        Packet answer;
    };
    const auto v4 = [](bool out) { return out ? web_to_db() : db_to_web(); };
    const auto v6 = [](bool out) {
        return out ? Packet{}.eth().ipv6(web_v6, db_v6) : Packet{}.eth().ipv6(db_v6, web_v6);
    };
    const std::vector<Case> cases{
        {"IPv4, TCP", [&](bool out) { return v4(out).tcp(out ? 9 : 80, out ? 80 : 9, ACK); },
         v4(true).tcp(9, 80, SYN), v4(false).tcp(80, 9, SYN | ACK)},
        {"IPv6, TCP", [&](bool out) { return v6(out).tcp(out ? 9 : 80, out ? 80 : 9, ACK); },
         v6(true).tcp(9, 80, SYN), v6(false).tcp(80, 9, SYN | ACK)},
        {"IPv4, UDP", [&](bool out) { return v4(out).udp(out ? 9 : 53, out ? 53 : 9); },
         v4(true).udp(9, 53), v4(false).udp(53, 9)},
        {"IPv6, UDP", [&](bool out) { return v6(out).udp(out ? 9 : 53, out ? 53 : 9); },
         v6(true).udp(9, 53), v6(false).udp(53, 9)},
    };
    for (const Case& one : cases) {
        SCOPED_TRACE(one.name);
        Bench bench;
        bench.enforce(policies::closed_ingress);
        std::map<direction, uint64_t> bytes;
        const auto out = [&](const Packet& packet) {
            EXPECT_EQ(bench.from_web(packet), allowed_by(REASON_NO_POLICY));
            bytes[DIRECTION_EGRESS] += packet.bytes().size();
        };
        const auto in = [&](const Packet& packet) {
            EXPECT_EQ(bench.to_web(packet), allowed_by(REASON_NO_POLICY));
            bytes[DIRECTION_INGRESS] += packet.bytes().size();
        };
        out(one.open);
        in(one.answer);
        for (int i = 0; i < 10; i++) {
            out(one.packet(true));
            in(one.packet(false));
        }
        const auto flows = bench.flows();
        ASSERT_EQ(flows.size(), 1u);
        for (const direction dir : {DIRECTION_INGRESS, DIRECTION_EGRESS}) {
            EXPECT_EQ(flows[0].second.packets[dir], 11u);
            EXPECT_EQ(flows[0].second.bytes[dir], bytes[dir]);
        }
    }
}

// Runs the same frames on two CPUs at once.
void run_twice(const Bench& bench, const std::vector<Bytes>& frames)
{
    std::atomic<int> ready = 0;
    const auto run = [&](int cpu) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET(cpu, &set);
        EXPECT_EQ(sched_setaffinity(0, sizeof(set), &set), 0);
        for (ready++; ready < 2;)
            ;
        bench.flood_web(frames);
    };
    std::jthread other(run, 1);
    std::jthread one(run, 0);
}

TEST(FlowTable, TwoCpusMakeOneFlowOfOneConnection)
{
    if (std::thread::hardware_concurrency() < 2)
        GTEST_SKIP() << "one CPU alone";
    Bench bench;
    bench.enforce(policies::none);
    for (int round = 0; round < 8; round++) {
        std::vector<Bytes> frames;
        for (uint16_t port = 1; port <= 500; port++)
            frames.push_back(db_to_web().udp(port, static_cast<uint16_t>(1000 + round)).bytes());
        run_twice(bench, frames);
        std::map<uint16_t, int> seen;
        for (const auto& [key, flow] : *bench.maps().flows(true))
            seen[key.peer_port]++;
        for (const auto& [port, count] : seen)
            ASSERT_EQ(count, 1) << "round " << round << ", port " << __builtin_bswap16(port);
        EXPECT_EQ(seen.size(), 500u);
        auto options = bench.options();
        bench.reload(options);
        bench.enforce(policies::none);
    }
}

TEST(FlowTable, EveryPacketOfTwoCpusIsCountedInItsFlow)
{
    if (std::thread::hardware_concurrency() < 2)
        GTEST_SKIP() << "one CPU alone";
    Bench bench;
    bench.enforce(policies::none);
    exchange(bench, 7);
    run_twice(bench, std::vector<Bytes>(20'000, db_to_web().udp(53, 7).bytes()));
    EXPECT_EQ(bench.flows().at(0).second.packets[DIRECTION_INGRESS], 40'001u);
}

// What a flood makes of the table is nobody's verdict.
TEST(FlowTable, AFloodOnAnotherCpuTurnsNoVerdict)
{
    Bench bench;
    reload_with(bench, 64);
    for (uint16_t port = 1; port <= 16; port++)
        exchange(bench, port);
    std::vector<Bytes> flood;
    for (uint32_t i = 0; i < 4096; i++)
        flood.push_back(db_to_web().udp(static_cast<uint16_t>(i), 9).bytes());
    std::atomic<bool> over = false;
    std::jthread flooder([&] {
        while (!over)
            bench.flood_web(flood);
    });
    for (int i = 0; i < 300; i++)
        for (uint16_t port = 1; port <= 16; port++) {
            // The flood is counted for the same pod: by the verdict alone.
            EXPECT_TRUE(bench.passes_to_web(db_to_web().udp(53, port)));
            EXPECT_FALSE(bench.passes_to_web(db_to_web().udp(54, port)));
        }
    over = true;
}

} // namespace
