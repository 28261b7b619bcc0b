// SPDX-License-Identifier: Apache-2.0
#include "system/world.h"

#include <atomic>

namespace system_test {
namespace {

constexpr uint16_t port = 7000;

class OpenConnection : public OnNode {
protected:
    static PolicyFile db_allows(uint16_t allowed)
    {
        return policy("shop/db", "{podSelector: {matchLabels: {app: db}}, ingress: [{ports: "
                                 "[{port: " +
                                     std::to_string(allowed) + "}, {protocol: UDP, port: " +
                                     std::to_string(allowed) + "}]}]}");
    }
    static PolicyFile web_may_nothing()
    {
        return policy("shop/web",
                      "{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress]}");
    }
    std::optional<lab::Connection> open(Transport transport)
    {
        return lab::open_connection(machine("web"), machine("db"), family(), transport, port);
    }
};
INSTANTIATE_TEST_SUITE_P(Policy, OpenConnection, every_node, node_name);

TEST_P(OpenConnection, IsCutInBothDirectionsOnTheNextPacket)
{
    for (const Transport transport : {Transport::tcp, Transport::udp})
        for (const PolicyFile& forbids : {db_allows(1), web_may_nothing()}) {
            enforce({db_allows(port)});
            const auto to_server = open(transport);
            const auto to_client = open(transport);
            ASSERT_TRUE(to_server && to_client) << transport;
            EXPECT_TRUE(to_server->carries_to_client() && to_server->carries_to_server());
            EXPECT_TRUE(to_client->carries_to_server() && to_client->carries_to_client());
            enforce({forbids});
            // One connection each, so that the first packet after the change is the one meant.
            EXPECT_FALSE(to_server->carries_to_server(lab::silence)) << transport << forbids.text;
            EXPECT_FALSE(to_client->carries_to_client(lab::silence)) << transport << forbids.text;
        }
}

TEST_P(OpenConnection, ComesBackWhenItIsAllowedAgain)
{
    enforce({db_allows(port)});
    const auto connection = open(Transport::udp);
    ASSERT_TRUE(connection);
    enforce({db_allows(1)});
    EXPECT_FALSE(connection->carries_to_server(lab::silence));
    enforce({db_allows(port)});
    EXPECT_TRUE(connection->carries_to_server());
    EXPECT_TRUE(connection->carries_to_client());
}

TEST_P(OpenConnection, SurvivesWhatItIsAllowedBy)
{
    enforce({});
    const auto connection = open(Transport::tcp);
    ASSERT_TRUE(connection);
    enforce({db_allows(port)});
    EXPECT_TRUE(connection->carries_to_server());
    EXPECT_TRUE(connection->carries_to_client());
    enforce({policy("shop/db", "{podSelector: {}, ingress: [{from: [{podSelector: "
                               "{matchLabels: {app: web}}}]}]}")});
    EXPECT_TRUE(connection->carries_to_client()) << "a reply, judged as the connection was opened";
    EXPECT_TRUE(connection->carries_to_server());
}

TEST_P(OpenConnection, LosesNoPacketToChangesThatAllowIt)
{
    constexpr int changes = 12;
    enforce({db_allows(port)});
    const auto connection = open(Transport::udp);
    ASSERT_TRUE(connection);
    std::atomic<bool> done = false;
    std::atomic<int> sent = 0; // and received: one at a time
    std::jthread sender([&] {
        while (!done && connection->client.send("tick") && connection->server.receive() == "tick")
            ++sent;
    });
    for (int i = 0; i < changes; ++i) {
        enforce({db_allows(port), policy("shop/more", "{podSelector: {matchLabels: {app: db}}, "
                                                      "ingress: [{ports: [{port: " +
                                                          std::to_string(2000 + i) + "}]}]}")});
        const int before = sent;
        EXPECT_TRUE(lab::eventually([&] { return sent > before; })) << "after change " << i;
    }
    done = true;
    sender.join();
    EXPECT_GT(sent, changes);
}

} // namespace
} // namespace system_test
