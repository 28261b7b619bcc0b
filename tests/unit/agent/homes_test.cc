// SPDX-License-Identifier: Apache-2.0
#include "homes.h"

#include <algorithm>
#include <cstring>
#include <gtest/gtest.h>

namespace ebpfd {
namespace {

IpAddress ip(const std::string& text)
{
    return IpAddress::parse(text).value();
}

// Two pods on a bridge: nothing but the addresses at the far ends says who is where.
struct Story {
    Story()
    {
        pods = {pod("web", "10.0.0.5"), pod("db", "10.0.0.6")};
        veth(5, "10.0.0.5");
        veth(6, "10.0.0.6");
    }
    static std::shared_ptr<const Pod> pod(const std::string& name, const std::string& address,
                                          const std::string& uid = "1")
    {
        Pod made;
        made.name = name;
        made.uid = uid;
        made.addresses = {ip(address)};
        return std::make_shared<Pod>(made);
    }
    void veth(uint32_t ifindex, const std::string& address)
    {
        Link link;
        link.ifindex = ifindex;
        link.name = "v" + std::to_string(ifindex);
        link.kind = "veth";
        link.peer = 2;
        link.peer_nsid = static_cast<int32_t>(ifindex);
        if (!address.empty())
            link.peer_addresses = {{ip(address), 32}};
        table.links[ifindex] = link;
    }
    std::vector<std::string> located()
    {
        std::vector<std::string> out;
        for (const auto& [ifindex, name, owner] :
             homes.locate(pods, table, "here", globs, &warnings, now)) {
            out.push_back(name + "=" + (owner ? owner->name : "closed"));
            EXPECT_TRUE(!owner || std::ranges::find(pods, owner) != pods.end())
                << "a copy was given";
        }
        return out;
    }
    // What an earlier agent left: that pod, and an interface that was closed.
    void adopt(uint32_t ifindex, const std::string& name, const std::string& address)
    {
        endpoint_name row{};
        std::strcpy(row.pod_namespace, "default");
        std::strcpy(row.pod, name.c_str());
        std::ranges::copy(ip(address).bytes, row.address[0]);
        homes.adopt({{ifindex, row}, {8, endpoint_name{}}});
    }
    // An interface goes, and another one with its far end's address comes.
    void replace(uint32_t ifindex, uint32_t by, const std::string& address)
    {
        table.links.erase(ifindex);
        veth(by, address);
        homes.leave({{ifindex, {ip(address)}}}, now);
    }
    void set_terminating(size_t number)
    {
        auto pod = std::make_shared<Pod>(*pods.at(number));
        pod->terminating = true;
        pods.at(number) = pod;
    }

    std::vector<std::shared_ptr<const Pod>> pods;
    InterfaceTable table;
    std::vector<std::string> globs;
    std::vector<std::string> warnings;
    Homes::Clock::time_point now;
    Homes homes;
};

using Found = std::vector<std::string>;
const Found both{"v5=web", "v6=db"};

TEST(Homes, PodThatTakesItsAddressAwayStays)
{
    Story story;
    EXPECT_EQ(story.located(), both);
    story.veth(5, "");
    EXPECT_EQ(story.located(), both);
    EXPECT_EQ(story.located(), both);
    EXPECT_TRUE(story.warnings.empty());
}

TEST(Homes, PodThatTakesTheAddressOfAnotherStays)
{
    Story story;
    EXPECT_EQ(story.located(), both);
    story.veth(5, "10.0.0.6");
    EXPECT_EQ(story.located(), both);
    story.veth(6, "");
    EXPECT_EQ(story.located(), both);
}

TEST(Homes, PodThatTakesTheAddressOfOneToComeStays)
{
    Story story;
    EXPECT_EQ(story.located(), both);
    story.pods.push_back(Story::pod("api", "10.0.0.7"));
    story.veth(5, "10.0.0.7");
    EXPECT_EQ(story.located(), both);
    story.veth(7, "10.0.0.7");
    EXPECT_EQ(story.located(), (Found{"v5=web", "v6=db", "v7=api"}));
}

TEST(Homes, AnotherPodOfThatNameIsLookedFor)
{
    Story story;
    EXPECT_EQ(story.located(), both);
    story.veth(5, "");
    story.pods[0] = Story::pod("web", "10.0.0.5", "2");
    EXPECT_EQ(story.located(), Found{"v6=db"});
}

TEST(Homes, PodsThatChangeAddressesInTheInventoryMove)
{
    Story story;
    EXPECT_EQ(story.located(), both);
    story.pods = {Story::pod("web", "10.0.0.6"), Story::pod("db", "10.0.0.5")};
    EXPECT_EQ(story.located(), (Found{"v5=db", "v6=web"}));
}

TEST(Homes, PodThatGetsOneMoreAddressStays)
{
    Story story;
    EXPECT_EQ(story.located(), both);
    story.veth(5, "10.0.0.9");
    auto more = std::make_shared<Pod>(*story.pods[0]);
    more->addresses.push_back(ip("fd00::5"));
    story.pods[0] = more;
    EXPECT_EQ(story.located(), both);
    more = std::make_shared<Pod>(*more);
    more->addresses.clear();
    story.pods[0] = more;
    EXPECT_EQ(story.located(), both);
}

TEST(Homes, TerminatingPodLeavesItsInterfaceToTheNextOfItsAddress)
{
    Story story;
    EXPECT_EQ(story.located(), both);
    story.pods.push_back(Story::pod("next", "10.0.0.5", "2"));
    EXPECT_EQ(story.located(), both) << "it stays while it is not being deleted";
    story.set_terminating(0);
    EXPECT_EQ(story.located(), (Found{"v5=next", "v6=db"}));
}

TEST(Homes, PodGoesWithItsInterface)
{
    Story story;
    EXPECT_EQ(story.located(), both);
    story.table.links.erase(5);
    EXPECT_EQ(story.located(), Found{"v6=db"});
    story.veth(7, "10.0.0.5");
    EXPECT_EQ(story.located(), (Found{"v6=db", "v7=web"}));
}

TEST(Homes, FinishedPodIsNowhere)
{
    Story story;
    EXPECT_EQ(story.located(), both);
    auto finished = std::make_shared<Pod>(*story.pods[0]);
    finished->finished = true;
    story.pods[0] = finished;
    EXPECT_EQ(story.located(), Found{"v6=db"});
}

TEST(Homes, AnnotationAndRouteOfTheNodesRootMovePods)
{
    Story story;
    EXPECT_EQ(story.located(), both);
    story.veth(7, "");
    story.table.routes.insert({ip("10.0.0.5"), 0, 7});
    story.veth(5, "");
    EXPECT_EQ(story.located(), (Found{"v6=db", "v7=web"}));
    auto api = std::make_shared<Pod>(*Story::pod("api", "10.0.0.8"));
    api->interface = "v6";
    story.pods.push_back(api);
    EXPECT_EQ(story.located(), (Found{"v6=api", "v7=web"}));
}

TEST(Homes, RestartedAgentKeepsToWhatWasFound)
{
    Story story;
    story.adopt(5, "web", "10.0.0.5");
    story.veth(5, "10.0.0.6");
    EXPECT_EQ(story.located(), both);
}

using Away = std::set<const Pod*>;

TEST(Homes, WherePodsInterfacesAreNamedAnotherInterfaceWaitsForTheInventory)
{
    Story story;
    story.globs = {"v*"};
    EXPECT_EQ(story.located(), both);
    story.replace(5, 7, "10.0.0.5");
    EXPECT_EQ(story.located(), (Found{"v6=db", "v7=closed"}));
    EXPECT_EQ(story.homes.away(), Away{story.pods[0].get()});
    EXPECT_TRUE(story.homes.expects_any());
    story.pods[0] = Story::pod("api", "10.0.0.5", "2");
    EXPECT_EQ(story.located(), (Found{"v6=db", "v7=api"}));
    EXPECT_TRUE(story.homes.away().empty());
    EXPECT_FALSE(story.homes.expects_any());
}

TEST(Homes, PodThatIsAwayLosesToAnyOtherWithItsAddress)
{
    Story story;
    story.globs = {"v*"};
    EXPECT_EQ(story.located(), both);
    story.replace(5, 7, "10.0.0.5");
    story.pods.push_back(Story::pod("api", "10.0.0.5", "0")); // said to be the older one
    EXPECT_EQ(story.located(), (Found{"v6=db", "v7=api"}));
    EXPECT_EQ(story.homes.away(), Away{story.pods[0].get()});
}

// Its entry is told, its interface comes and goes, and the next one with its address comes, all
// between two looks.
TEST(Homes, PodThatCameAndWentUnseenIsAway)
{
    Story story;
    story.globs = {"v*"};
    EXPECT_EQ(story.located(), both);
    story.pods.push_back(Story::pod("api", "10.0.0.7"));
    story.homes.leave({{9, {ip("10.0.0.7")}}}, story.now);
    story.veth(7, "10.0.0.7");
    EXPECT_EQ(story.located(), (Found{"v5=web", "v6=db", "v7=closed"}));
    EXPECT_EQ(story.homes.away(), Away{story.pods[2].get()});
    story.pods.push_back(Story::pod("next", "10.0.0.7", "2"));
    EXPECT_EQ(story.located(), (Found{"v5=web", "v6=db", "v7=next"}));
}

TEST(Homes, WhoCameAndWentUnseenCountsOnlyForAWhile)
{
    Story story;
    story.globs = {"v*"};
    story.homes.leave({{9, {ip("10.0.0.7")}}}, story.now);
    story.now += Homes::absence;
    story.pods.push_back(Story::pod("api", "10.0.0.7"));
    story.veth(7, "10.0.0.7");
    EXPECT_EQ(story.located(), (Found{"v5=web", "v6=db", "v7=api"}));
}

TEST(Homes, PodWhoseAddressWasSomebodyElsesBeforeComesAtOnce)
{
    Story story;
    story.globs = {"v*"};
    EXPECT_EQ(story.located(), both);
    story.homes.leave({{9, {ip("10.0.0.7")}}}, story.now);
    EXPECT_EQ(story.located(), both);
    story.pods.push_back(Story::pod("api", "10.0.0.7"));
    story.veth(7, "10.0.0.7");
    EXPECT_EQ(story.located(), (Found{"v5=web", "v6=db", "v7=api"}));
}

TEST(Homes, PodComesBackWhenTheInventoryInsists)
{
    Story story;
    story.globs = {"v*"};
    EXPECT_EQ(story.located(), both);
    story.replace(5, 7, "10.0.0.5");
    story.now += Homes::absence - std::chrono::milliseconds(1);
    EXPECT_EQ(story.located(), (Found{"v6=db", "v7=closed"}));
    story.now += std::chrono::milliseconds(1);
    EXPECT_EQ(story.located(), (Found{"v6=db", "v7=web"}));
    EXPECT_FALSE(story.homes.expects_any());
    EXPECT_EQ(story.located(), (Found{"v6=db", "v7=web"}));
}

TEST(Homes, TerminatingPodDoesNotComeBack)
{
    for (const auto& globs : {std::vector<std::string>{}, {"v*"}}) {
        Story story;
        story.globs = globs;
        story.set_terminating(0);
        EXPECT_EQ(story.located(), both); // it still runs
        story.replace(5, 7, "10.0.0.5");
        story.now += Homes::absence * 100;
        EXPECT_EQ(story.located(), (Found{"v6=db", "v7=closed"}));
        EXPECT_EQ(story.homes.away(), Away{story.pods[0].get()});
        EXPECT_FALSE(story.homes.expects_any());
    }
}

TEST(Homes, InterfaceWithTheNumberOfOneThatHasGoneIsAnother)
{
    Story story;
    EXPECT_EQ(story.located(), both);
    story.pods.push_back(Story::pod("api", "10.0.0.7"));
    story.replace(5, 5, "10.0.0.7");
    EXPECT_EQ(story.located(), (Found{"v5=api", "v6=db"}));
}

TEST(Homes, SecondInterfaceWithAPodsAddressIsClosed)
{
    Story story;
    EXPECT_EQ(story.located(), both);
    story.veth(7, "10.0.0.5");
    EXPECT_EQ(story.located(), (Found{"v5=web", "v6=db", "v7=closed"}));
    ASSERT_FALSE(story.warnings.empty());
    EXPECT_EQ(story.warnings.back(),
              "interface v7 has the address 10.0.0.5 of pod default/web and is another's: it is "
              "closed");
}

TEST(Homes, RestartedAgentKnowsWhoIsAway)
{
    Story story;
    story.globs = {"v*"};
    story.adopt(4, "web", "10.0.0.5");
    EXPECT_EQ(story.located(), (Found{"v5=closed", "v6=db"}));
    story.now += Homes::absence;
    EXPECT_EQ(story.located(), both);
}

TEST(Homes, RestartedAgentTakesNobodyForATerminatingPodThatHadLeft)
{
    Story story;
    story.adopt(6, "db", "10.0.0.6");
    story.set_terminating(0);
    story.set_terminating(1);
    EXPECT_EQ(story.located(), (Found{"v5=closed", "v6=db"}));
    story.pods.push_back(Story::pod("next", "10.0.0.5", "2"));
    EXPECT_EQ(story.located(), (Found{"v5=next", "v6=db"}));
}

TEST(Homes, FirstAgentTakesATerminatingPodWhereItIs)
{
    Story story;
    story.set_terminating(0);
    EXPECT_EQ(story.located(), both);
}

TEST(NodeAddresses, ClusterIpsAreNoneOfThem)
{
    Service service;
    service.cluster_ips = {ip("10.96.0.1"), ip("fd00::1")};
    const auto services = std::vector{std::make_shared<const Service>(service)};
    EXPECT_EQ(own_node_addresses({ip("192.0.2.1"), ip("10.96.0.1"), ip("fd00::1")}, services),
              std::set{ip("192.0.2.1")});
}

} // namespace
} // namespace ebpfd
