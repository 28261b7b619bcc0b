// SPDX-License-Identifier: Apache-2.0
#include "inventory/locate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace ebpfd;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

namespace {

IpAddress ip(std::string_view text)
{
    return IpAddress::parse(text).value();
}

// A node's interfaces and pods, built line by line.
struct Story {
    InterfaceTable table;
    std::vector<std::shared_ptr<const Pod>> pods;
    Staying staying;
    std::vector<std::string> globs;
    std::vector<std::string> warnings;

    static Link plain(uint32_t ifindex, const std::string& name, const std::string& kind)
    {
        Link link;
        link.ifindex = ifindex;
        link.name = name;
        link.kind = kind;
        return link;
    }
    void veth(uint32_t ifindex, const std::string& name, std::vector<std::string> far_end = {})
    {
        Link link = plain(ifindex, name, "veth");
        link.peer = 2;
        link.peer_nsid = static_cast<int32_t>(ifindex);
        for (const std::string& address : far_end)
            link.peer_addresses.insert({ip(address), 32});
        table.links[ifindex] = link;
    }
    void route(const std::string& address, uint32_t ifindex, uint32_t metric = 0)
    {
        table.routes.insert({ip(address), metric, ifindex});
    }
    Pod& pod(const std::string& name, std::vector<std::string> addresses = {})
    {
        auto made = std::make_shared<Pod>();
        made->name = name;
        for (const std::string& address : addresses)
            made->addresses.push_back(ip(address));
        pods.push_back(made);
        return *made;
    }
    // "veth-web=default/web", "veth-x=-" for a closed one.
    std::vector<std::string> located()
    {
        std::vector<std::string> found;
        for (const auto& one :
             locate_pods(pods, staying, table, AddressIndex(table), "here", globs, &warnings)) {
            EXPECT_EQ(table.links.at(one.ifindex).name, one.name);
            found.push_back(one.name + "=" + (one.pod ? one.pod->name : "-"));
        }
        return found;
    }
};

} // namespace

TEST(Locate, PodIsFoundByTheAddressOfTheFarEnd)
{
    Story story;
    story.veth(5, "v5", {"10.1.0.10", "fe80::1"});
    story.veth(6, "v6", {"fd00:1::20"});
    story.veth(7, "v7", {"10.1.0.30"});
    story.pod("web", {"10.1.0.10"});
    story.pod("db", {"10.1.0.20", "fd00:1::20"});
    EXPECT_THAT(story.located(), ElementsAre("v5=web", "v6=db"));
    EXPECT_THAT(story.warnings, IsEmpty());
}

TEST(Locate, PodIsFoundByAHostRoute)
{
    Story story;
    story.veth(5, "cali5");
    story.route("10.1.0.10", 5);
    story.pod("web", {"10.1.0.10"});
    EXPECT_THAT(story.located(), ElementsAre("cali5=web"));
}

TEST(Locate, FarEndIsSurerThanARoute)
{
    Story story;
    story.veth(5, "v5");
    story.veth(6, "v6", {"10.1.0.10"});
    story.route("10.1.0.10", 5);
    story.pod("web", {"10.1.0.10"});
    EXPECT_THAT(story.located(), ElementsAre("v6=web"));
}

TEST(Locate, AnnotationIsSurerThanAnAddress)
{
    Story story;
    story.veth(5, "v5", {"10.1.0.10"});
    story.veth(6, "v6");
    story.pod("web", {"10.1.0.10"}).interface = "v6";
    EXPECT_THAT(story.located(), ElementsAre("v6=web"));
}

TEST(Locate, AnnotatedPodNeedsNoAddress)
{
    Story story;
    story.veth(5, "v5");
    story.pod("web").interface = "v5";
    EXPECT_THAT(story.located(), ElementsAre("v5=web"));
}

TEST(Locate, AnnotationOfNoInterfaceIsNotReplacedByAGuess)
{
    Story story;
    story.veth(5, "v5", {"10.1.0.10"});
    story.pod("web", {"10.1.0.10"}).interface = "v9";
    EXPECT_THAT(story.located(), IsEmpty());
    EXPECT_THAT(story.warnings, ElementsAre(HasSubstr("v9, which does not exist here")));
}

TEST(Locate, OnlyPodsThatMayRunHereHaveInterfaces)
{
    Story story;
    story.veth(5, "v5", {"10.1.0.1"});
    story.veth(6, "v6", {"10.1.0.2"});
    story.veth(7, "v7", {"10.1.0.3"});
    story.veth(8, "v8", {"10.1.0.4"});
    story.veth(9, "v9", {"10.1.0.5"});
    story.pod("here", {"10.1.0.1"}).node = "here";
    story.pod("anywhere", {"10.1.0.2"});
    story.pod("elsewhere", {"10.1.0.3"}).node = "there";
    story.pod("host", {"10.1.0.4"}).host_network = true;
    story.pod("done", {"10.1.0.5"}).finished = true;
    EXPECT_THAT(story.located(), ElementsAre("v5=here", "v6=anywhere"));
}

TEST(Locate, NewestPodOwnsAnAddress)
{
    Story story;
    story.veth(5, "v5", {"10.1.0.10"});
    story.pod("old", {"10.1.0.10"}).created = "2024-01-01T00:00:00Z";
    story.pod("new", {"10.1.0.10"}).created = "2024-01-02T00:00:00Z";
    story.pod("unknown", {"10.1.0.10"});
    EXPECT_THAT(story.located(), ElementsAre("v5=new"));
    EXPECT_THAT(story.warnings, ElementsAre(HasSubstr("default/old and default/new"),
                                            HasSubstr("default/unknown and default/new")));
}

TEST(Locate, PodThatStaysOwnsAnAddressBeforeOneThatEnds)
{
    Story story;
    story.veth(5, "v5", {"10.1.0.10"});
    Pod& ends = story.pod("ends", {"10.1.0.10"});
    ends.created = "2024-01-02T00:00:00Z";
    ends.terminating = true;
    story.pod("stays", {"10.1.0.10"}).created = "2024-01-01T00:00:00Z";
    EXPECT_THAT(story.located(), ElementsAre("v5=stays"));
}

TEST(Locate, EqualAgeIsDecidedByUid)
{
    Story story;
    story.veth(5, "v5", {"10.1.0.10"});
    story.pod("b", {"10.1.0.10"}).uid = "1";
    story.pod("a", {"10.1.0.10"}).uid = "2";
    EXPECT_THAT(story.located(), ElementsAre("v5=a"));
}

TEST(Locate, FinishedPodDoesNotKeepItsAddress)
{
    Story story;
    story.veth(5, "v5", {"10.1.0.10"});
    story.pod("running", {"10.1.0.10"}).created = "2024-01-01T00:00:00Z";
    Pod& done = story.pod("done", {"10.1.0.10"});
    done.created = "2024-01-02T00:00:00Z";
    done.finished = true;
    EXPECT_THAT(story.located(), ElementsAre("v5=running"));
}

TEST(Locate, NewestPodOwnsTheInterfaceThatTwoName)
{
    Story story;
    story.veth(5, "v5");
    Pod& old = story.pod("old");
    old.interface = "v5";
    old.created = "2024-01-01T00:00:00Z";
    Pod& young = story.pod("young");
    young.interface = "v5";
    young.created = "2024-01-02T00:00:00Z";
    EXPECT_THAT(story.located(), ElementsAre("v5=young"));
    EXPECT_THAT(story.warnings, ElementsAre(HasSubstr("newer pod default/young names as well")));
}

TEST(Locate, NewestPodOwnsTheInterfaceThatHasAddressesOfTwo)
{
    Story story;
    story.veth(5, "v5", {"10.1.0.10", "10.1.0.20"});
    story.pod("old", {"10.1.0.10"}).created = "2024-01-01T00:00:00Z";
    story.pod("young", {"10.1.0.20"}).created = "2024-01-02T00:00:00Z";
    EXPECT_THAT(story.located(), ElementsAre("v5=young"));
}

TEST(Locate, PodThatTakesAnothersAddressTakesNoInterface)
{
    for (const char* victim_created : {"2024-01-01T00:00:00Z", "2024-01-03T00:00:00Z"}) {
        Story story;
        story.veth(5, "v5", {"10.1.0.10", "10.1.0.20"});
        story.veth(6, "v6", {"10.1.0.20"});
        story.pod("thief", {"10.1.0.10"}).created = "2024-01-02T00:00:00Z";
        story.pod("victim", {"10.1.0.20"}).created = victim_created;
        EXPECT_THAT(story.located(), ElementsAre("v5=thief", "v6=victim"));
    }
}

TEST(Locate, OfTwoFarEndsTheRoutedOneIsThePods)
{
    Story story;
    story.veth(5, "v5", {"10.1.0.10"});
    story.veth(6, "v6", {"10.1.0.10"});
    story.route("10.1.0.10", 6);
    story.pod("web", {"10.1.0.10"});
    EXPECT_THAT(story.located(), ElementsAre("v6=web"));
}

TEST(Locate, OfTwoFarEndsTheOneWithMoreOfItsAddressesIsThePods)
{
    Story story;
    story.veth(5, "v5", {"10.1.0.10"});
    story.veth(6, "v6", {"10.1.0.10", "fd00:1::10"});
    story.pod("web", {"10.1.0.10", "fd00:1::10"});
    EXPECT_THAT(story.located(), ElementsAre("v6=web"));
}

TEST(Locate, RouteOfTheLowestMetricCounts)
{
    Story story;
    story.veth(5, "v5");
    story.veth(6, "v6");
    story.route("10.1.0.10", 5, 100);
    story.route("10.1.0.10", 6, 10);
    story.pod("web", {"10.1.0.10"});
    EXPECT_THAT(story.located(), ElementsAre("v6=web"));
}

TEST(Locate, LoopbackAndBridgesAreNoPods)
{
    Story story;
    story.globs = {"*"};
    story.table.links[1] = Story::plain(1, "lo", "");
    story.table.links[1].loopback = true;
    story.table.links[2] = Story::plain(2, "cni0", "bridge");
    story.route("10.1.0.10", 1);
    story.route("10.1.0.20", 2);
    story.pod("web", {"10.1.0.10"});
    story.pod("db", {"10.1.0.20"});
    story.pod("api").interface = "lo";
    EXPECT_THAT(story.located(), ElementsAre("cni0=-"));
    EXPECT_THAT(story.warnings, ElementsAre(HasSubstr("loopback")));
}

TEST(Locate, InterfacesOfTheGlobsAreClosedUntilTheirPodIsKnown)
{
    Story story;
    story.globs = {"veth*", "cali?"};
    story.veth(5, "veth5");
    story.veth(6, "veth6", {"10.1.0.10"});
    story.veth(7, "cali7");
    story.veth(8, "cali88");
    story.veth(9, "eth0");
    story.pod("web", {"10.1.0.10"});
    EXPECT_THAT(story.located(), ElementsAre("veth5=-", "veth6=web", "cali7=-"));
}

TEST(Locate, PodOfThisNodeWithoutAnInterfaceIsTold)
{
    Story story;
    story.pod("lost", {"10.1.0.10"}).node = "here";
    story.pod("starting").node = "here";
    story.pod("anywhere", {"10.1.0.20"});
    EXPECT_THAT(story.located(), IsEmpty());
    EXPECT_THAT(story.warnings, ElementsAre(HasSubstr("pod default/lost runs on this node")));
}

TEST(Locate, WarningsAreOptional)
{
    auto pod = std::make_shared<Pod>();
    pod->interface = "v9";
    EXPECT_THAT(locate_pods({pod}, {}, {}, AddressIndex({}), "here", {}, nullptr), IsEmpty());
}

TEST(Locate, APodStaysWhereItIsWhateverItsAddressLeadsTo)
{
    Story story;
    story.veth(5, "veth-home");
    story.veth(6, "veth-other", {"10.1.0.10"});
    story.staying[&story.pod("web", {"10.1.0.10"})] = 5;
    story.pod("moved");
    story.staying[story.pods.back().get()] = 5; // has it no more than once
    EXPECT_THAT(story.located(), ElementsAre("veth-home=web"));
    EXPECT_THAT(story.warnings, IsEmpty());
}

TEST(Locate, AnAnnotationIsSurerThanAHome)
{
    Story story;
    story.veth(5, "veth-home");
    story.staying[&story.pod("web", {"10.1.0.10"})] = 5;
    story.pod("named").interface = "veth-home";
    EXPECT_THAT(story.located(), ElementsAre("veth-home=named"));
}

TEST(NodeAddresses, AreThoseOfTheNamespaceAndOfTheNodeObject)
{
    InterfaceTable table;
    table.addresses = {{1, {ip("127.0.0.1"), 8}},
                       {1, {ip("::1"), 128}},
                       {1, {ip("192.0.2.77"), 32}}, // on lo, but it is reached from outside
                       {2, {ip("192.0.2.1"), 24}}};
    auto node = std::make_shared<Node>();
    node->name = "here";
    node->addresses = {ip("198.51.100.1")};
    auto other = std::make_shared<Node>();
    other->name = "there";
    other->addresses = {ip("198.51.100.2")};
    EXPECT_EQ(node_addresses(table, {node, other}, "here"),
              (std::set{ip("192.0.2.77"), ip("192.0.2.1"), ip("198.51.100.1")}));
}
