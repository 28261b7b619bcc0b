// SPDX-License-Identifier: Apache-2.0
#include "system/world.h"

#include <array>
#include <fmt/format.h>

namespace system_test {
namespace {

constexpr std::array<uint16_t, 2> ports{5432, 80}; // allowed, and not

class Traffic : public OnNode {
protected:
    static PolicyFile closed(const std::string& space)
    {
        return policy(space + "/closed", "{podSelector: {}, policyTypes: [Ingress, Egress]}");
    }
    static PolicyFile db_from_app(const std::string& app)
    {
        return policy("shop/db-in", "{podSelector: {matchLabels: {app: db}}, ingress: [{from: "
                                    "[{namespaceSelector: {}, podSelector: {matchLabels: {app: " +
                                        app + "}}}]}]}");
    }
    // Whether a text of this length comes back from a UDP port.
    bool echoes(const std::string& from, const std::string& to, uint16_t port, size_t length,
                lab::Milliseconds timeout)
    {
        const auto socket = lab::Socket::connect(machine(from), Transport::udp, at(to), port);
        const std::string text(length, 'x');
        return socket.send(text) && socket.receive(timeout) == text;
    }
};
INSTANTIATE_TEST_SUITE_P(Policy, Traffic, every_node, node_name);

TEST_P(Traffic, BothEndsMustAgreeAndRepliesFollow)
{
    const auto web_out =
        policy("shop/web", "{podSelector: {matchLabels: {app: web}}, policyTypes: "
                           "[Ingress, Egress], egress: [{ports: [{port: 5432}]}]}");
    const auto api_in = policy("ops/api", "{podSelector: {matchLabels: {app: api}}, policyTypes: "
                                          "[Ingress, Egress], ingress: [{ports: [{port: 5432}, "
                                          "{port: 80}]}]}");
    enforce({web_out, api_in});
    EXPECT_TRUE(traffic({yes("web", "api", 5432), no("web", "api", 80), no("web", "api", 8080),
                         yes("scan", "api", 80), no("api", "web", 5432), no("api", "scan", 5432)}));
}

TEST_P(Traffic, OwnNodeAlwaysReachesItsPods)
{
    enforce({closed("shop"), closed("ops")});
    EXPECT_TRUE(
        traffic({yes("node", "db", 5432), icmp("node", "web", true), udp("node", "api", 53, true),
                 no("outside", "db", 5432), icmp("outside", "web", false)}));
}

TEST_P(Traffic, PodAlwaysReachesItself)
{
    enforce({closed("shop")});
    EXPECT_TRUE(traffic({yes("web", "web", 80), icmp("web", "web", true), no("web", "db", 80)}));
    lab::Packet home = node().frame(machine("web"));
    if (family() == Family::v4)
        home.ipv4(at("web"), at("web"));
    else
        home.ipv6(at("web"), at("web"));
    EXPECT_TRUE(arrives("web", "web", home.udp(9, 9), true)) << "by way of the node";
}

TEST_P(Traffic, HostNetworkPodsAreNoPeersOfSelectors)
{
    inventory_.add({.pod_namespace = "ops",
                    .name = "agent",
                    .labels = "{app: agent}",
                    .addresses = {machine("outside").v4, machine("outside").v6},
                    .node = "node-2",
                    .host_network = true});
    describe(inventory_);
    enforce({db_from_app("agent")});
    EXPECT_TRUE(traffic({no("outside", "db", 80)}));
    enforce({policy("shop/db-in",
                    fmt::format(
                        "{{podSelector: {{}}, ingress: [{{from: [{{ipBlock: {{cidr: '{}'}}}}]}}]}}",
                        block("192.0.2.0/24", "2001:db8::/64"))),
             policy("ops/closed", "{podSelector: {matchLabels: {app: agent}}}")});
    EXPECT_TRUE(traffic({yes("outside", "db", 80), yes("api", "outside", 80)}));
}

TEST_P(Traffic, FinishedPodsAreNoPeers)
{
    enforce({db_from_app("api")});
    EXPECT_TRUE(traffic({yes("api", "db", 80)}));
    for (const char* phase : {"Succeeded", "Failed"}) {
        inventory_.pod("api").phase = phase;
        describe(inventory_);
        EXPECT_TRUE(traffic({no("api", "db", 80)})) << phase;
    }
}

TEST_P(Traffic, NewestRunningPodOwnsAnAddress)
{
    PodObject old = inventory_.pod("api");
    old.name = "old";
    old.labels = "{app: old}";
    old.created = "2023-01-01T00:00:00Z";
    inventory_.add(old);
    describe(inventory_);
    enforce({db_from_app("old")});
    EXPECT_TRUE(traffic({no("api", "db", 80)}));
    enforce({db_from_app("api")});
    EXPECT_TRUE(traffic({yes("api", "db", 80)}));
    inventory_.pod("old").created = "2024-12-24T00:00:00Z";
    inventory_.pod("old").phase = "Failed";
    describe(inventory_);
    EXPECT_TRUE(traffic({yes("api", "db", 80)})) << "the newer one does not run";
}

TEST_P(Traffic, EveryPodIpCounts)
{
    enforce({db_from_app("api")});
    EXPECT_TRUE(traffic({yes("api", "db", 80)}));
    inventory_.pod("api").addresses = {machine("api").v4};
    describe(inventory_);
    EXPECT_TRUE(traffic({family() == Family::v4 ? yes("api", "db", 80) : no("api", "db", 80)}));
}

TEST_P(Traffic, ChangedLabelsTakeEffectAtOnce)
{
    enforce({db_from_app("api")});
    inventory_.pod("scan").labels = "{app: api}";
    inventory_.pod("api").labels = "{app: other}";
    describe(inventory_);
    EXPECT_TRUE(traffic({yes("scan", "db", 80), no("api", "db", 80)}));
    inventory_.pod("db").labels = "{app: free}";
    describe(inventory_);
    EXPECT_TRUE(traffic({yes("api", "db", 80)})) << "no policy selects the pod any more";
    enforce({policy("shop/team", "{podSelector: {}, ingress: [{from: [{namespaceSelector: "
                                 "{matchLabels: {team: blue}}}]}]}")});
    EXPECT_TRUE(traffic({no("api", "db", 80)}));
    inventory_.set_namespace("ops", "{team: blue}");
    describe(inventory_);
    EXPECT_TRUE(traffic({yes("api", "db", 80), no("web", "db", 80)}));
}

TEST_P(Traffic, IcmpIsAllowedByRulesWithoutPorts)
{
    enforce({policy("shop/db", "{podSelector: {matchLabels: {app: db}}, ingress: "
                               "[{from: [{podSelector: {}}]}, {ports: [{port: 80}]}]}")});
    EXPECT_TRUE(traffic({icmp("web", "db", true), icmp("api", "db", false), yes("api", "db", 80)}));
    EXPECT_TRUE(arrives("web", "db", packet("web", "db").raw(47, {0, 0, 8, 0}), true));
    EXPECT_FALSE(arrives("api", "db", packet("api", "db").raw(47, {0, 0, 8, 0}), false));
}

TEST_P(Traffic, IcmpErrorsFollowTheConnectionTheyQuote)
{
    enforce({policy("shop/web",
                    "{podSelector: {matchLabels: {app: web}}, policyTypes: "
                    "[Ingress, Egress], egress: [{ports: [{port: 999, protocol: UDP}]}]}")});
    const auto socket = lab::Socket::connect(machine("web"), Transport::udp, at("db"), 999);
    ASSERT_TRUE(socket.send("anybody there?"));
    EXPECT_TRUE(lab::eventually([&] {
        return socket.outcome(lab::silence) == lab::Outcome::refused;
    })) << "the answer \"port unreachable\" arrives";
    auto unasked = packet("web", "db").udp(4321, 4321).payload("<unasked>").bytes();
    auto error = packet("db", "web").unreachable(lab::from_ip(unasked)).bytes();
    EXPECT_FALSE(lab::arrives(machine("db"), machine("web"), error, "<unasked>", lab::silence));
}

TEST_P(Traffic, NeighborDiscoveryAlwaysPasses)
{
    enforce({closed("shop"), closed("ops")});
    for (const char* name : {"node", "db"})
        ASSERT_TRUE(machine(name).netns.ip("neigh flush all\n"));
    EXPECT_TRUE(traffic({yes("node", "db", 80)}));
}

TEST_P(Traffic, FragmentsShareTheVerdictOfTheFirst)
{
    enforce({policy("shop/db", "{podSelector: {matchLabels: {app: db}}, ingress: "
                               "[{ports: [{port: 5432, protocol: UDP}]}]}")});
    EXPECT_TRUE(echoes("web", "db", 5432, 5000, lab::patience));
    EXPECT_FALSE(echoes("web", "db", 53, 5000, lab::silence));
    auto stray = packet("web", "db").fragment(4711, 1480, false).raw(lab::protocol_udp, {1, 2});
    EXPECT_FALSE(arrives("web", "db", stray, false)) << "its first fragment was never seen";
}

TEST_P(Traffic, HeadersInBetweenAreReadThrough)
{
    enforce({policy("shop/db", "{podSelector: {matchLabels: {app: db}}, ingress: "
                               "[{ports: [{port: 5432}]}]}")});
    for (const uint16_t port : ports) {
        lab::Packet odd = node().frame(machine("web"), &machine("db"));
        if (family() == Family::v4)
            odd.ipv4(at("web"), at("db"), {1, 1, 1, 0});
        else
            odd.ipv6(at("web"), at("db")).destination_options();
        odd.tcp(1234, port, lab::SYN);
        EXPECT_EQ(arrives("web", "db", odd, port == 5432), port == 5432);
    }
}

TEST_P(Traffic, VlanTagsHideNothing)
{
    enforce({policy("shop/db", "{podSelector: {matchLabels: {app: db}}, ingress: "
                               "[{ports: [{port: 5432}]}]}")});
    for (const uint16_t port : ports) {
        lab::Packet tagged = node().frame(machine("web"), &machine("db")).vlan(5);
        if (family() == Family::v4)
            tagged.ipv4(at("web"), at("db"));
        else
            tagged.ipv6(at("web"), at("db"));
        // A node that routes has no use for tags; a bridge carries them through.
        const bool expected = port == 5432 && wiring() == Wiring::bridged;
        EXPECT_EQ(arrives("web", "db", tagged.tcp(1234, port, lab::SYN), expected), expected);
    }
}

} // namespace
} // namespace system_test
