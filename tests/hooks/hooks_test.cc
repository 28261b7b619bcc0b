// SPDX-License-Identifier: Apache-2.0
#include "hooks/scene.h"
#include "lab/process.h"
#include "lab/socket.h"
#include "lab/socket_address.h"

#include <algorithm>
#include <array>
#include <bpf/bpf.h>
#include <filesystem>
#include <functional>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <thread>

using namespace ebpfd;
using namespace lab;

namespace {

constexpr uint16_t PORT = 5432;
constexpr uint8_t ESTABLISHED = TCP_ESTABLISHED;
constexpr uint8_t CLOSED = TCP_CLOSE;

class Hooks : public Scene {};

// Both families: the test's name says which.
class HooksByFamily : public Scene, public testing::WithParamInterface<Family> {};
INSTANTIATE_TEST_SUITE_P(, HooksByFamily, testing::Values(Family::v4, Family::v6),
                         [](const auto& one) { return std::string(name_of(one.param)); });

// Closes with a reset instead of a FIN.
void reset(Socket& socket)
{
    const linger now{.l_onoff = 1, .l_linger = 0};
    setsockopt(socket.fd(), SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    socket = {};
}

size_t records_of(const std::vector<::event>& events, event_type type)
{
    return static_cast<size_t>(
        std::ranges::count_if(events, [&](const ::event& one) { return one.type == type; }));
}

TEST_F(Hooks, EachIsAttachedOrSaysWhyNot)
{
    const auto status = datapath().hooks();
    ASSERT_EQ(status.size(), hook_names().size());
    for (const auto& hook : status) {
        EXPECT_NE(hook.attachment.empty(), hook.error.empty()) << hook.name;
        if (attach() == HookAttach::automatic) {
            EXPECT_EQ(hook.error, "") << hook.name;
        }
    }
}

TEST_F(Hooks, OnlyThoseAskedForAreAttached)
{
    attach_hooks({.names = {"tcp_state"}, .attach = attach()});
    ASSERT_EQ(datapath().hooks().size(), 1u);
    EXPECT_EQ(datapath().hooks()[0].name, "tcp_state");
    attach_hooks({});
    EXPECT_TRUE(datapath().hooks().empty());
}

TEST_F(Hooks, WithoutTheirMapsTheyFailAndPolicyGoesOn)
{
    std::filesystem::remove(bpffs() + "/maps/netns_map");
    attach_hooks({.names = hook_names(), .attach = attach()});
    for (const auto& hook : datapath().hooks())
        EXPECT_NE(hook.error, "") << hook.name;
    enforce({"web"});
    EXPECT_TRUE(open_connection(web(), db(), Family::v4, Transport::tcp, PORT));
}

TEST_P(HooksByFamily, ConnectionTellsItsLatencyItsStateAndItsRoundTripTime)
{
    auto connection = open_connection(web(), db(), GetParam(), Transport::tcp, PORT);
    ASSERT_TRUE(connection);
    for (int i = 0; i < 20; i++)
        ASSERT_TRUE(connection->carries_to_server() && connection->carries_to_client());
    EXPECT_EQ(entries(of("web").connect), 1u);
    EXPECT_GT(of("web").connect.sum_us, 0u);
    EXPECT_EQ(of("web").connects_unmeasured, 0u);
    EXPECT_EQ(entries(of("db").connect), 0u);
    EXPECT_EQ(of("db").accepts, 1u);
    EXPECT_GT(entries(of("web").srtt), 0u);
    EXPECT_GT(entries(of("db").srtt), 0u);
    const auto seen = flow_to("web", PORT);
    EXPECT_EQ(seen.tcp_state, ESTABLISHED);
    EXPECT_GT(seen.srtt_us, 0u);
    EXPECT_LT(seen.srtt_us, 1'000'000u);
    EXPECT_EQ(seen.connect_us, of("web").connect.sum_us);
    EXPECT_EQ(flow_to("db", PORT).connect_us, 0u);
}

TEST_P(HooksByFamily, ResetCountsForBothEnds)
{
    auto connection = open_connection(web(), db(), GetParam(), Transport::tcp, PORT);
    ASSERT_TRUE(connection && connection->carries_to_server());
    events();
    reset(connection->server);
    EXPECT_TRUE(eventually([&] { return of("web").resets_received == 1; }));
    EXPECT_EQ(of("db").resets_sent, 1u);
    EXPECT_EQ(of("db").resets_received, 0u);
    EXPECT_EQ(flow_to("web", PORT).resets_received, 1u);
    EXPECT_EQ(flow_to("db", PORT).resets_sent, 1u);
    const auto told = events();
    EXPECT_EQ(records_of(told, EVENT_TCP_RESET_SENT), 1u);
    EXPECT_EQ(records_of(told, EVENT_TCP_RESET_RECEIVED), 1u);
}

TEST_P(HooksByFamily, RefusedConnectCounts)
{
    const auto socket = Socket::connect(web(), Transport::tcp, db().at(GetParam()), PORT);
    EXPECT_EQ(socket.outcome(patience), Outcome::refused);
    EXPECT_TRUE(eventually([&] { return of("web").connects_refused == 1; }));
    EXPECT_EQ(of("web").resets_received, 1u);
    EXPECT_EQ(entries(of("web").connect), 0u);
    EXPECT_EQ(drops("db", "NO_SOCKET"), 1u);
}

TEST_P(HooksByFamily, ConnectionInOrderLosesNothing)
{
    auto connection = open_connection(web(), db(), GetParam(), Transport::tcp, PORT);
    ASSERT_TRUE(connection);
    for (int i = 0; i < 20; i++)
        ASSERT_TRUE(connection->carries_to_server() && connection->carries_to_client());
    connection->client = {};
    EXPECT_FALSE(connection->server.receive()); // but for the end
    connection->server = {};
    EXPECT_TRUE(eventually([&] { return flow_to("web", PORT).tcp_state == CLOSED; }));
    for (const char* pod : {"web", "db"}) {
        EXPECT_EQ(of(pod).kernel_drops, 0u) << drops_text(pod);
        EXPECT_EQ(of(pod).retransmissions, 0u);
        EXPECT_EQ(of(pod).resets_sent + of(pod).resets_received, 0u);
    }
}

TEST_P(HooksByFamily, LostPacketsAreSentAgainAndCounted)
{
    auto connection = open_connection(web(), db(), GetParam(), Transport::tcp, PORT);
    ASSERT_TRUE(connection && connection->carries_to_server());
    EXPECT_EQ(of("web").retransmissions, 0u);
    events();
    const std::string route = "route replace blackhole " + db().at(GetParam()) +
                              (GetParam() == Family::v4 ? "/32" : "/128 metric 1") + "\n";
    ASSERT_TRUE(node().host().netns.ip(route));
    ASSERT_TRUE(connection->client.send("lost"));
    EXPECT_TRUE(eventually([&] { return of("web").retransmissions > 0; }));
    EXPECT_EQ(of("db").retransmissions, 0u);
    EXPECT_GT(flow_to("web", PORT).retransmissions, 0u);
    EXPECT_GT(records_of(events(), EVENT_TCP_RETRANSMIT), 0u);
}

TEST_P(HooksByFamily, WhatTheNodeDropsOfAPodsPacketsIsThePods)
{
    const auto socket = Socket::connect(web(), Transport::udp, db().at(GetParam()), PORT);
    const int one = 1; // hop: as far as the node
    ASSERT_EQ(GetParam() == Family::v4
                  ? setsockopt(socket.fd(), IPPROTO_IP, IP_TTL, &one, sizeof(one))
                  : setsockopt(socket.fd(), IPPROTO_IPV6, IPV6_UNICAST_HOPS, &one, sizeof(one)),
              0);
    ASSERT_TRUE(socket.send("too far"));
    EXPECT_TRUE(eventually([&] { return drops("web", "IP_INHDR") == 1; })) << drops_text("web");
    EXPECT_EQ(flow_to("web", PORT).drops, 1u);
    EXPECT_EQ(of("db").kernel_drops, 0u);
}

TEST_P(HooksByFamily, DatagramWithoutSocketIsDroppedByTheKernel)
{
    const auto socket = Socket::connect(web(), Transport::udp, db().at(GetParam()), PORT);
    ASSERT_TRUE(socket.send("anyone?"));
    EXPECT_TRUE(eventually([&] { return drops("db", "NO_SOCKET") == 1; }));
    EXPECT_EQ(drops("web", "NO_SOCKET"), 0u);
    EXPECT_EQ(flow_to("db", PORT).drops, 1u);
    const auto told = events();
    const auto drop = std::ranges::find(told, EVENT_KERNEL_DROP, &::event::type);
    ASSERT_NE(drop, told.end());
    EXPECT_EQ(drop->direction, DIRECTION_INGRESS);
    EXPECT_EQ(drop->health.drop_reason, flow_to("db", PORT).drop_reason);
}

TEST_F(Hooks, FullAcceptQueueCounts)
{
    const auto listener = Socket::listen(db(), Transport::tcp, PORT);
    // Connections are accepted with their first data: all handshakes find room, which is then
    // taken away but for one connection.
    const int seconds = 10;
    setsockopt(listener.fd(), IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, sizeof(seconds));
    std::vector<Socket> clients;
    for (int i = 0; i < 3; i++) {
        clients.push_back(Socket::connect(web(), Transport::tcp, db().v4, PORT));
        ASSERT_EQ(clients.back().outcome(patience), Outcome::connected);
    }
    ASSERT_EQ(::listen(listener.fd(), 0), 0);
    for (const auto& client : clients)
        ASSERT_TRUE(client.send("data"));
    EXPECT_TRUE(eventually([&] { return of("db").accept_overflows > 0; }));
    EXPECT_EQ(of("web").accept_overflows, 0u);
}

TEST_F(Hooks, NamespacesThatAreNoEndpointsCountForNobody)
{
    auto connection = open_connection(stranger(), db(), Family::v4, Transport::tcp, PORT);
    ASSERT_TRUE(connection && connection->carries_to_server());
    reset(connection->client);
    EXPECT_TRUE(eventually([&] { return of("db").resets_received == 1; }));
    EXPECT_EQ(of("db").accepts, 1u);
    EXPECT_EQ(of("db").resets_sent, 0u);
    EXPECT_EQ(entries(of("web").srtt), 0u);
    EXPECT_EQ(maps().namespaces()->size(), 3u); // web's, db's and the node's own
}

TEST_F(Hooks, NamespacesFollowTheirInterfaces)
{
    enforce({"web"});
    EXPECT_EQ(maps().namespaces()->size(), 2u);
    enforce({"web", "stranger"});
    EXPECT_EQ(maps().namespaces()->size(), 3u);
    auto connection = open_connection(stranger(), web(), Family::v4, Transport::tcp, PORT);
    ASSERT_TRUE(connection);
    EXPECT_EQ(entries(of("stranger").connect), 1u);
    EXPECT_EQ(of("stranger").accepts, 0u); // as db, whose index it has got
}

// Which namespace counts for the pod whose interface it is; 0: none.
uint64_t namespace_of(const PinnedMaps& maps, uint32_t ifindex)
{
    const auto all = maps.namespaces();
    for (const auto& [cookie, owner] : all.value())
        if (owner.ifindex == ifindex)
            return cookie;
    return 0;
}

TEST_F(Hooks, OtherEndsThatMoveAreFollowedAtOnceWhileTheyAreNew)
{
    enforce({"web"});
    uint32_t ifindex = 0;
    node().host().netns.enter([&] { ifindex = if_nametoindex(web().host_interface.c_str()); });
    auto later = lab::NetNamespace::create("later");
    ASSERT_TRUE(later);
    const uint64_t first = namespace_of(maps(), ifindex);
    ASSERT_TRUE(web().netns.ip("link set " + web().interface + " netns " + later->name() + "\n"));
    sweep();
    const uint64_t second = namespace_of(maps(), ifindex);
    EXPECT_NE(second, first);
    EXPECT_NE(second, 0u);
    EXPECT_EQ(maps().namespaces()->size(), 2u);

    for (int turn = 2; turn <= 6; ++turn) // it is new no more
        sweep();
    ASSERT_TRUE(later->ip("link set " + web().interface + " netns " + web().netns.name() + "\n"));
    sweep();
    EXPECT_EQ(namespace_of(maps(), ifindex), second) << "others are asked about";
    for (int turn = 8; turn <= 12; ++turn)
        sweep();
    EXPECT_EQ(namespace_of(maps(), ifindex), first);
}

TEST_F(Hooks, RefusalsOfPolicyAreNoDropsOfTheKernel)
{
    enforce({"web", "db"}, {"web"});
    const auto socket = Socket::connect(web(), Transport::tcp, db().v4, PORT);
    EXPECT_EQ(socket.outcome(silence), Outcome::silent);
    const auto told = events();
    EXPECT_GE(records_of(told, EVENT_DROP), 1u);
    EXPECT_EQ(of("web").kernel_drops, 0u) << drops_text("web");
}

// With rows of nobody's.
void fill(const std::string& bpffs, const std::string& name)
{
    const ebpfd::Fd map(bpf_obj_get((bpffs + "/maps/" + name).c_str()));
    ASSERT_TRUE(map);
    std::array<uint32_t, 64> key{};
    const std::vector<char> value(1 << 16); // as large as any, for all CPUs
    key.fill(UINT32_MAX);
    for (key[1] = 0; bpf_map_update_elem(map.get(), key.data(), value.data(), BPF_NOEXIST) == 0;)
        ++key[1];
    ASSERT_EQ(errno, E2BIG);
    ASSERT_GT(key[1], 0u);
}

TEST_F(Hooks, FullTableOfDropsLeavesThemToThePodsSum)
{
    fill(bpffs(), "kdrop_map");
    const auto socket = Socket::connect(web(), Transport::udp, db().v4, PORT);
    ASSERT_TRUE(socket.send("anyone?"));
    EXPECT_TRUE(eventually([&] { return of("db").kernel_drops == 1; }));
    EXPECT_EQ(drops("db", "NO_SOCKET"), 0u);
    EXPECT_EQ(maps().losses()->drops_full, 1u);
}

TEST_F(Hooks, FullTableOfHealthLeavesFlowsWithoutUntilTheNextSweep)
{
    fill(bpffs(), "health_map");
    {
        const auto connection = open_connection(web(), db(), Family::v4, Transport::tcp, PORT);
        ASSERT_TRUE(connection && connection->carries_to_server() &&
                    connection->carries_to_client());
        EXPECT_GT(maps().losses()->health_full, 0u);
        EXPECT_EQ(flow_to("web", PORT).tcp_state, 0u);
        EXPECT_EQ(entries(of("web").connect), 1u) << "the pod's sum has it";
    }
    sweep(); // forgets what belongs to no flow
    const auto connection = open_connection(web(), db(), Family::v4, Transport::tcp, PORT + 1);
    ASSERT_TRUE(connection && connection->carries_to_server());
    EXPECT_TRUE(eventually([&] { return flow_to("web", PORT + 1).connect_us > 0; }));
}

// For `ip`: what is sent to the pod is lost on the node, or arrives again.
std::string unreachable(const Machine& pod)
{
    return "route replace blackhole " + pod.v4 + "/32\n";
}

std::string reachable(const Machine& pod)
{
    return "route replace " + pod.v4 + "/32 dev " + pod.host_interface + "\n";
}

// Connections to nowhere, each of which takes one of the places for those being opened.
std::vector<Socket> unanswered(const Machine& from, size_t count)
{
    constexpr uint16_t ports = 8; // a port has fewer connections than the kernel gives numbers to
    std::vector<Socket> out;
    rlimit files{};
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = std::max<rlim_t>(files.rlim_cur, count + 1024);
    files.rlim_max = std::max(files.rlim_max, files.rlim_cur);
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &files), 0);
    for (size_t i = 0; i < count; ++i)
        out.push_back(Socket::connect(from, Transport::tcp, "203.0.113.1",
                                      static_cast<uint16_t>(PORT + i % ports)));
    return out;
}

// Each CPU has some of the table's places for itself: on one of them, the oldest is the first.
void on_one_cpu(const std::function<void()>& work)
{
    std::thread([&] {
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(sched_getcpu(), &one);
        EXPECT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
        work();
    }).join();
}

TEST_F(Hooks, FullTableOfConnectsLeavesTheOldestOneUnmeasured)
{
    constexpr size_t places = 16384;
    const auto listener = Socket::listen(db(), Transport::tcp, PORT);
    ASSERT_TRUE(node().host().netns.ip("route add blackhole 203.0.113.1/32\n" + unreachable(db())));
    std::vector<Socket> oldest, others;
    on_one_cpu([&] {
        oldest.push_back(Socket::connect(web(), Transport::tcp, db().v4, PORT));
        others = unanswered(web(), places + places / 16);
    });
    ASSERT_EQ(others.back().outcome(Milliseconds(0)), Outcome::silent);
    ASSERT_TRUE(node().host().netns.ip(reachable(db())));
    const auto newest = Socket::connect(web(), Transport::tcp, db().v4, PORT);
    EXPECT_EQ(newest.outcome(patience), Outcome::connected);
    EXPECT_EQ(oldest[0].outcome(4 * patience),
              Outcome::connected); // when it has sent its SYN again
    EXPECT_TRUE(eventually([&] { return of("web").connects_unmeasured == 1; }));
    EXPECT_EQ(entries(of("web").connect), 1u) << "of the newest";
}

// A datagram from each of these sockets to each port from 1 on.
void send_to_ports(const std::vector<Socket>& from, const std::string& address, uint16_t ports)
{
    for (uint16_t port = 1; port <= ports; ++port) {
        const SocketAddress to("::ffff:" + address, port);
        for (const Socket& socket : from)
            ASSERT_EQ(sendto(socket.fd(), "?", 1, 0, to.get(), to.size()), 1);
    }
}

// Twice as many flows as notice_map remembers: who is new there pushes out another, and is not
// kept quiet in its stead.
TEST_F(Hooks, NobodyWhoIsNewIsKeptQuietByAFullTableOfNotices)
{
    constexpr uint16_t ports = 32768;
    constexpr uint64_t flows = 4 * ports, remembered = 4 * 16384;
    std::vector<Socket> sockets;
    for (uint16_t port = 40001; port <= 40004; ++port)
        sockets.push_back(Socket::listen(web(), Transport::udp, port));
    const auto told = [this] { return maps().losses()->type[EVENT_KERNEL_DROP]; };
    const auto arrived = [this](uint64_t sent) { // but for what a busy machine loses on the way
        return eventually([&] { return drops("db", "NO_SOCKET") >= sent - sent / 100; });
    };
    send_to_ports(sockets, db().v4, ports);
    EXPECT_TRUE(arrived(flows)) << drops_text("db");
    EXPECT_GE(told().produced, flows - flows / 100);
    EXPECT_EQ(told().suppressed, 0u);
    send_to_ports(sockets, db().v4, ports);
    EXPECT_TRUE(arrived(2 * flows)) << drops_text("db");
    EXPECT_LE(told().suppressed, remembered);
    EXPECT_EQ(told().produced, told().delivered + told().suppressed + told().lost);
}

TEST_F(Hooks, ConnectThatBeganBeforeTheyWereAttachedIsUnmeasured)
{
    const auto listener = Socket::listen(db(), Transport::tcp, PORT);
    attach_hooks({});
    ASSERT_TRUE(node().host().netns.ip(unreachable(db())));
    const auto early = Socket::connect(web(), Transport::tcp, db().v4, PORT);
    attach_hooks({.names = hook_names(), .attach = attach()});
    ASSERT_TRUE(node().host().netns.ip(reachable(db())));
    EXPECT_EQ(early.outcome(4 * patience), Outcome::connected);
    EXPECT_TRUE(eventually([&] { return of("web").connects_unmeasured == 1; }));
    EXPECT_EQ(entries(of("web").connect), 0u);
}

TEST_F(Hooks, LedgerAddsUp)
{
    const auto socket = Socket::connect(web(), Transport::udp, db().v4, PORT);
    for (int i = 0; i < 50; i++)
        socket.send("anyone?");
    EXPECT_TRUE(eventually([&] { return drops("db", "NO_SOCKET") > 0; }));
    const auto losses = maps().losses();
    ASSERT_TRUE(losses);
    const auto ring = ring_sum(&*losses, RING_FLOWS);
    EXPECT_EQ(ring.produced, ring.delivered + ring.suppressed + ring.lost);
    EXPECT_EQ(events().size(), ring.delivered);
}

} // namespace
