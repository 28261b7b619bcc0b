// SPDX-License-Identifier: Apache-2.0
#include "watched_node.h"

#include <sys/socket.h>

class Interfaces : public WatchedNode {};

TEST_F(Interfaces, VethMovedIntoAPodBringsAddressesGivenLater)
{
    start_watching();
    auto pod = make_namespace("pod");
    on_node("link add host0 type veth peer name tmp0\n");
    ASSERT_TRUE(eventually([&] { return link("host0") && link("tmp0"); }));
    EXPECT_FALSE(link("host0")->peer_nsid);
    EXPECT_EQ(link("host0")->peer, link("tmp0")->ifindex);

    on_node("link set tmp0 netns " + pod.name() + " name eth0\n");
    ASSERT_TRUE(eventually([&] { return link("host0")->has_distant_peer(); }));
    EXPECT_EQ(link("tmp0"), nullptr);

    ip(pod, "link set eth0 up\naddr add 10.0.0.5/32 dev eth0\naddr add fd00::5/128 dev eth0\n");
    EXPECT_TRUE(
        eventually([&] { return peer_has("host0", "10.0.0.5") && peer_has("host0", "fd00::5"); }));
    EXPECT_FALSE(has_own("10.0.0.5"));

    ip(pod, "addr del 10.0.0.5/32 dev eth0\n");
    EXPECT_TRUE(eventually([&] { return !peer_has("host0", "10.0.0.5"); }));
    EXPECT_TRUE(peer_has("host0", "fd00::5"));
}

TEST_F(Interfaces, VethMadeAcrossNamespacesBringsAddressesGivenLater)
{
    start_watching();
    auto pod = make_namespace("pod");
    on_node("link add host0 type veth peer name eth0 netns " + pod.name() + "\n");
    ip(pod, "addr add 10.0.0.5/24 dev eth0\n");
    EXPECT_TRUE(eventually([&] { return peer_has("host0", "10.0.0.5"); }));
    EXPECT_EQ(link("host0")->kind, "veth");
}

TEST_F(Interfaces, VethMadeFromInsideAPodBringsItsAddresses)
{
    start_watching();
    auto pod = make_namespace("pod");
    ip(pod, "link add eth0 type veth peer name host0 netns " + node_->name() + "\n");
    ip(pod, "addr add 10.0.0.5/24 dev eth0\n");
    EXPECT_TRUE(eventually([&] { return peer_has("host0", "10.0.0.5"); }));
}

TEST_F(Interfaces, VethMovedOutOfAPodBringsAddressesGivenBeforeAndAfter)
{
    start_watching();
    auto pod = make_namespace("pod");
    ip(pod, "link add eth0 type veth peer name host0\naddr add 10.0.0.5/32 dev eth0\n"
            "link set host0 netns " +
                node_->name() + "\n");
    EXPECT_TRUE(eventually([&] { return peer_has("host0", "10.0.0.5"); }));
    ip(pod, "addr add 10.0.0.6/32 dev eth0\n");
    EXPECT_TRUE(eventually([&] { return peer_has("host0", "10.0.0.6"); }));
}

TEST_F(Interfaces, WhatWasThereBeforeTheStartIsKnownAtOnce)
{
    auto pod = make_namespace("pod");
    on_node("link set lo up\nlink add host0 type veth peer name eth0 netns " + pod.name() +
            "\nlink set host0 up\naddr add 192.0.2.1/24 dev host0\n"
            "route add 10.0.0.5/32 dev host0\nroute add fd00::5/128 dev host0\n");
    ip(pod, "link set eth0 up\naddr add 10.0.0.5/32 dev eth0\naddr add fd00::5/128 dev eth0\n");
    start_watching();
    EXPECT_TRUE(peer_has("host0", "10.0.0.5"));
    EXPECT_TRUE(peer_has("host0", "fd00::5"));
    EXPECT_TRUE(has_own("192.0.2.1"));
    EXPECT_TRUE(has_own("127.0.0.1"));
    EXPECT_TRUE(has_own("::1"));
    EXPECT_TRUE(has_route("10.0.0.5", "host0"));
    EXPECT_TRUE(has_route("fd00::5", "host0"));
    EXPECT_TRUE(link("lo")->loopback);
    EXPECT_TRUE(link("host0")->up);
    ip(pod, "addr add 10.0.0.6/32 dev eth0\n");
    EXPECT_TRUE(eventually([&] { return peer_has("host0", "10.0.0.6"); }));
}

TEST_F(Interfaces, TentativeAddressesCount)
{
    auto pod = make_namespace("pod");
    on_node("link add host0 type veth peer name eth0 netns " + pod.name() +
            "\nlink set host0 up\n");
    ip(pod, "link set eth0 up\n");
    start_watching();
    ip(pod, "addr add fd00::5/64 dev eth0\n"); // for a second, until nobody has objected
    settle();
    EXPECT_TRUE(peer_has("host0", "fd00::5"));
}

TEST_F(Interfaces, EachVethOfAPodHasTheAddressesOfItsOwnFarEnd)
{
    auto pod = make_namespace("pod");
    start_watching();
    on_node("link add one type veth peer name eth0 netns " + pod.name() +
            "\nlink add two type veth peer name eth1 netns " + pod.name() + "\n");
    ip(pod, "addr add 10.0.0.5/32 dev eth0\naddr add 10.0.0.6/32 dev eth1\n");
    EXPECT_TRUE(
        eventually([&] { return peer_has("one", "10.0.0.5") && peer_has("two", "10.0.0.6"); }));
    EXPECT_FALSE(peer_has("one", "10.0.0.6"));
    EXPECT_FALSE(peer_has("two", "10.0.0.5"));
}

TEST_F(Interfaces, FarEndThatMovesBetweenPodsTakesItsNewAddresses)
{
    auto before = make_namespace("before");
    auto after = make_namespace("after");
    start_watching();
    on_node("link add host0 type veth peer name eth0 netns " + before.name() + "\n");
    ip(before, "addr add 10.0.0.5/32 dev eth0\n");
    ASSERT_TRUE(eventually([&] { return peer_has("host0", "10.0.0.5"); }));
    ip(before, "link set eth0 netns " + after.name() + "\n");
    EXPECT_TRUE(eventually([&] { return !peer_has("host0", "10.0.0.5"); }));
    ip(after, "addr add 10.0.0.7/32 dev eth0\n");
    EXPECT_TRUE(eventually([&] { return peer_has("host0", "10.0.0.7"); }));
}

TEST_F(Interfaces, NamespaceNumberUsedAgainMeansTheNewNamespace)
{
    start_watching();
    std::optional<int32_t> number;
    for (int round = 0; round < 3; ++round) {
        const std::string address = "10.0.0." + std::to_string(round + 1);
        std::optional pod(make_namespace("pod"));
        on_node("link add host0 type veth peer name eth0 netns " + pod->name() + "\n");
        ip(*pod, "addr add " + address + "/32 dev eth0\n");
        ASSERT_TRUE(eventually([&] { return peer_has("host0", address); }));
        EXPECT_EQ(link("host0")->peer_addresses.size(), 1u);
        EXPECT_EQ(link("host0")->peer_nsid, number ? number : link("host0")->peer_nsid)
            << "the kernel took another number";
        number = link("host0")->peer_nsid;
        pod.reset();
        ASSERT_TRUE(eventually([&] { return !link("host0"); }));
    }
}

TEST_F(Interfaces, NumberUsedAgainIsUnderstoodWhenReadLate)
{
    start_watching();
    {
        auto pod = make_namespace("pod");
        on_node("link add host0 type veth peer name eth0 netns " + pod.name() + "\n");
        ip(pod, "addr add 10.0.0.1/32 dev eth0\n");
        ASSERT_TRUE(eventually([&] { return peer_has("host0", "10.0.0.1"); }));
    }
    auto next = make_namespace("next");
    on_node("link add host1 type veth peer name eth0 netns " + next.name() + "\n");
    ip(next, "addr add 10.0.0.2/32 dev eth0\n");
    EXPECT_TRUE(eventually([&] { return !link("host0") && peer_has("host1", "10.0.0.2"); }));
    EXPECT_EQ(link("host1")->peer_addresses.size(), 1u);
}

TEST_F(Interfaces, RenameKeepsTheFarEnd)
{
    auto pod = make_namespace("pod");
    start_watching();
    on_node("link add host0 type veth peer name eth0 netns " + pod.name() + "\n");
    ip(pod, "addr add 10.0.0.5/32 dev eth0\n");
    ASSERT_TRUE(eventually([&] { return peer_has("host0", "10.0.0.5"); }));
    on_node("link set host0 name cali0\n");
    EXPECT_TRUE(eventually([&] { return peer_has("cali0", "10.0.0.5"); }));
    EXPECT_EQ(link("host0"), nullptr);
}

TEST_F(Interfaces, IfindexUsedAgainIsTheNewInterface)
{
    auto pod = make_namespace("pod");
    start_watching();
    on_node("link add host0 index 77 type veth peer name eth0 netns " + pod.name() + "\n");
    ip(pod, "addr add 10.0.0.5/32 dev eth0\n");
    ASSERT_TRUE(eventually([&] { return peer_has("host0", "10.0.0.5"); }));
    on_node("link del host0\nlink add other0 index 77 type bridge\n");
    ASSERT_TRUE(eventually([&] { return link("other0") != nullptr; }));
    EXPECT_EQ(table().links.at(77).name, "other0");
    EXPECT_EQ(table().links.at(77).kind, "bridge");
    EXPECT_TRUE(table().links.at(77).peer_addresses.empty());
}

TEST_F(Interfaces, SameIfindexInAPodIsAnotherInterface)
{
    auto pod = make_namespace("pod");
    start_watching();
    on_node("link add host0 type veth peer name eth0 index 77 netns " + pod.name() +
            "\nlink add mine0 index 77 type bridge\naddr add 192.0.2.1/24 dev mine0\n");
    ip(pod, "link set eth0 up\naddr add 10.0.0.5/32 dev eth0\nroute add 10.0.0.9/32 dev eth0\n"
            "link set eth0 down\nlink set eth0 name eth9\n");
    ASSERT_TRUE(eventually([&] { return peer_has("host0", "10.0.0.5") && has_own("192.0.2.1"); }));
    ip(pod, "link del eth9\n");
    ASSERT_TRUE(eventually([&] { return !link("host0"); }));
    EXPECT_EQ(table().links.at(77).name, "mine0");
    EXPECT_TRUE(has_own("192.0.2.1"));
    EXPECT_FALSE(has_own("10.0.0.5"));
    EXPECT_TRUE(table().routes.empty());
}

TEST_F(Interfaces, PortThatLeavesItsBridgeStays)
{
    start_watching();
    on_node("link add br0 type bridge\nlink add port0 type veth peer name end0\nlink set port0 "
            "master br0\n");
    ASSERT_TRUE(eventually([&] { return link("port0") && link("port0")->master != 0; }));
    EXPECT_EQ(link("port0")->master, link("br0")->ifindex);
    on_node("link set port0 nomaster\n");
    EXPECT_TRUE(eventually([&] { return link("port0") && link("port0")->master == 0; }));
    settle();
    EXPECT_NE(link("port0"), nullptr);
}

TEST_F(Interfaces, HostRoutesComeChangeAndGo)
{
    start_watching();
    on_node("link add a0 type bridge\nlink set a0 up\nlink add b0 type bridge\nlink set b0 up\n"
            "addr add 192.0.2.1/24 dev b0\nroute add 10.0.0.5/32 dev a0\n"
            "route add fd00::5/128 dev a0\nroute add 10.9.0.0/24 dev a0\n"
            "route add 10.0.0.7/32 via 192.0.2.2\n");
    EXPECT_TRUE(
        eventually([&] { return has_route("10.0.0.5", "a0") && has_route("fd00::5", "a0"); }));
    settle();
    EXPECT_EQ(table().routes.size(), 2u) << "neither blocks nor gateways";

    on_node("route replace 10.0.0.5/32 dev b0\n");
    EXPECT_TRUE(
        eventually([&] { return has_route("10.0.0.5", "b0") && !has_route("10.0.0.5", "a0"); }));
    on_node("route replace 10.0.0.5/32 via 192.0.2.2\n");
    EXPECT_TRUE(eventually([&] { return !has_route("10.0.0.5", "b0"); }));
    on_node("route del fd00::5/128 dev a0\n");
    EXPECT_TRUE(eventually([&] { return table().routes.empty(); }));
}

TEST_F(Interfaces, RoutesThatTheKernelDropsSilentlyGo)
{
    start_watching();
    on_node("link add a0 type bridge\nlink set a0 up\naddr add 192.0.2.1/32 dev a0\n"
            "addr add 192.0.2.9/32 dev a0\n"
            "route add 10.0.0.5/32 dev a0 src 192.0.2.1\nroute add 10.0.0.6/32 dev a0\n");
    ASSERT_TRUE(
        eventually([&] { return has_route("10.0.0.5", "a0") && has_route("10.0.0.6", "a0"); }));
    on_node("addr del 192.0.2.1/32 dev a0\n");
    EXPECT_TRUE(eventually([&] { return !has_route("10.0.0.5", "a0"); }));
    EXPECT_TRUE(has_route("10.0.0.6", "a0"));
    on_node("link set a0 down\n");
    EXPECT_TRUE(eventually([&] { return table().routes.empty(); }));
}

TEST_F(Interfaces, AddressWithTwoPrefixesStaysWhileOneIsLeft)
{
    start_watching();
    on_node("link add a0 type bridge\naddr add 10.0.0.1/24 dev a0\naddr add 10.0.0.1/16 dev a0\n");
    ASSERT_TRUE(eventually([&] { return table().addresses.size() == 2; }));
    on_node("addr del 10.0.0.1/24 dev a0\n");
    ASSERT_TRUE(eventually([&] { return table().addresses.size() == 1; }));
    EXPECT_TRUE(has_own("10.0.0.1"));
}

TEST_F(Interfaces, OwnNamespaceWithANumberIsStillOurs)
{
    start_watching();
    on_node("netns set " + node_->name() +
            " 42\nlink add a0 type bridge\n"
            "addr add 192.0.2.1/24 dev a0\n");
    EXPECT_TRUE(eventually([&] { return link("a0") && has_own("192.0.2.1"); }));
    settle();
    on_node("addr add 192.0.2.2/24 dev a0\nlink set a0 name b0\n");
    EXPECT_TRUE(eventually([&] { return link("b0") && has_own("192.0.2.2"); }));
}

TEST_F(Interfaces, NothingNewIsNoChange)
{
    start_watching();
    auto processed = watcher_->process();
    ASSERT_TRUE(processed);
    EXPECT_FALSE(*processed);
    on_node("link add a0 type bridge\n");
    processed = watcher_->process();
    ASSERT_TRUE(processed);
    EXPECT_TRUE(*processed);
    on_node("link set a0 txqueuelen 77\n"); // notified, but of no interest
    processed = watcher_->process();
    ASSERT_TRUE(processed);
    EXPECT_FALSE(*processed);
}

TEST_F(Interfaces, LostNotificationsAreMadeGood)
{
    auto pod = make_namespace("pod");
    on_node("link add host0 type veth peer name eth0 netns " + pod.name() +
            "\nlink add gone0 type bridge\naddr add 192.0.2.1/24 dev gone0\n");
    start_watching();
    const int tiny = 1;
    ASSERT_EQ(setsockopt(watcher_->fd(), SOL_SOCKET, SO_RCVBUF, &tiny, sizeof(tiny)), 0);
    std::string batch = "link del gone0\n";
    for (int i = 0; i < 100; ++i)
        batch += "link add d" + std::to_string(i) + " type bridge\n";
    on_node(batch);
    ip(pod, "addr add 10.0.0.5/32 dev eth0\n");
    EXPECT_TRUE(eventually([&] { return link("d99") && peer_has("host0", "10.0.0.5"); }));
    EXPECT_EQ(link("gone0"), nullptr);
    EXPECT_FALSE(has_own("192.0.2.1"));
    EXPECT_EQ(table().links.size(), 102u); // and lo
    EXPECT_TRUE(watcher_->take_overrun());
    EXPECT_FALSE(watcher_->take_overrun());
}

TEST_F(Interfaces, InterfaceThatComesAgainAsItWasHasGone)
{
    on_node("link add a0 index 50 type bridge\n");
    start_watching();
    const auto before = table();
    on_node("link set a0 down\n");
    settle();
    EXPECT_TRUE(watcher_->take_gone().empty());
    on_node("link del a0\nlink add a0 index 50 type bridge\n");
    settle();
    EXPECT_EQ(table(), before);
    EXPECT_EQ(watcher_->take_gone(), (ebpfd::GoneInterfaces{{50, {}}}));
    EXPECT_TRUE(watcher_->take_gone().empty());
}

// Who was at its far end, though nobody looked meanwhile.
TEST_F(Interfaces, WhatHasGoneTellsTheAddressesOfItsFarEnd)
{
    auto pod = make_namespace("pod");
    const std::string pair = "link add v0 index 50 type veth peer name eth0 index 2 netns ";
    on_node(pair + pod.name() + "\nlink set v0 up\n");
    start_watching();
    ip(pod, "addr add 10.0.0.5/32 dev eth0\naddr add 10.0.0.6/32 dev eth0\n"
            "addr del 10.0.0.6/32 dev eth0\n");
    on_node("link del v0\n");
    settle();
    EXPECT_EQ(
        watcher_->take_gone(),
        (ebpfd::GoneInterfaces{
            {50, {*ebpfd::IpAddress::parse("10.0.0.5"), *ebpfd::IpAddress::parse("10.0.0.6")}}}));
}

TEST_F(Interfaces, WhatHasGoneIsToldAfterLostNotificationsToo)
{
    auto pod = make_namespace("pod");
    const std::string pair = "link add v0 index 50 type veth peer name eth0 ";
    on_node("link add gone0 index 51 type bridge\n" + pair + "index 2 netns " + pod.name() + "\n");
    start_watching();
    const int tiny = 1;
    ASSERT_EQ(setsockopt(watcher_->fd(), SOL_SOCKET, SO_RCVBUF, &tiny, sizeof(tiny)), 0);
    std::string batch =
        "link del gone0\nlink del v0\n" + pair + "index 3 netns " + pod.name() + "\n";
    for (int i = 0; i < 100; ++i)
        batch += "link add d" + std::to_string(i) + " type bridge\n";
    on_node(batch);
    EXPECT_TRUE(eventually([&] { return link("d99") != nullptr; }));
    const auto gone = watcher_->take_gone();
    EXPECT_TRUE(gone.contains(50));
    EXPECT_TRUE(gone.contains(51));
}
