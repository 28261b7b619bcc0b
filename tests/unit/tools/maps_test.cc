// SPDX-License-Identifier: Apache-2.0
#include "tool.h"

#include <algorithm>
#include <arpa/inet.h>
#include <gtest/gtest.h>

namespace ebpfd::ctl {
namespace {

TEST(Endpoints, ShowTheSlotInForce)
{
    Tool tool;
    tool.maps.state.generation = 3;
    tool.add_pod(1, "shop", "web", {"10.0.0.1", "fd00::1"}, RULESET_FIRST, RULESET_NONE);
    Json row = tool.json({"endpoint", "get", "shop/web"});
    EXPECT_EQ(row["ingress_ruleset"], "16");
    EXPECT_EQ(row["ingress_isolated"], true);
    EXPECT_EQ(row["egress_ruleset"], "none");
    EXPECT_EQ(row["egress_isolated"], false);
    EXPECT_EQ(row["addresses"], (Json{"10.0.0.1", "fd00::1"}));
    EXPECT_EQ(row["index"], 101);
    tool.maps.state.generation = 4; // the other slot: closed
    EXPECT_EQ(tool.json({"endpoint", "get", "shop/web"})["egress_ruleset"], "closed");
}

struct Rules : testing::Test {
    Tool tool;

    Rules()
    {
        tool.add_pod(1, "shop", "db", {"10.0.0.1"}, 16, RULESET_NONE);
        tool.add_rule(7, "shop", "allow-web");
        tool.add_rule(8, "shop", "allow-web,other", RULE_ISOLATION);
        ruleset& set = tool.maps.rulesets[16];
        set.count = 2;
        set.rule[0] = {7, ACTION_ALLOW, TIER_NETWORK_POLICY, 0};
        set.rule[1] = {8, ACTION_DENY, TIER_NETWORK_POLICY, 0};
        set.any_peer.word[0] = 2;
        tool.maps.hits[7] = {5, 0, 0};
        tool.maps.hits[8] = {0, 11, 0};
    }
};

TEST_F(Rules, StandInTheirOrderWithHits)
{
    Json rows = tool.json({"policy", "rules", "shop/db"});
    ASSERT_EQ(rows.size(), 2);
    EXPECT_EQ(rows[0], (Json{{"direction", "ingress"},
                             {"order", 0},
                             {"tier", "NetworkPolicy"},
                             {"action", "allow"},
                             {"mode", "enforce"},
                             {"policy", "shop/allow-web"},
                             {"rule", "ingress[0]"},
                             {"file", "policies.yaml"},
                             {"line", 7},
                             {"allowed_connections", 5},
                             {"denied_packets", 0}}));
    EXPECT_EQ(rows[1]["policy"], "shop/allow-web,shop/other");
    EXPECT_EQ(rows[1]["rule"], "isolation");
    EXPECT_EQ(rows[1]["denied_packets"], 11);
    EXPECT_NE(tool.err.find("egress: not isolated"), std::string::npos);
}

TEST_F(Rules, StatsNameEachOnce)
{
    Json rows = tool.json({"stats", "rules"});
    ASSERT_EQ(rows.size(), 2);
    EXPECT_EQ(rows[0]["allowed_connections"], 5);
    EXPECT_EQ(rows[1]["action"], "deny");
    EXPECT_TRUE(tool.json({"stats", "rules", "-n", "office"}).empty());
}

TEST_F(Rules, DumpsShowBitsAsLists)
{
    bitmap bits{};
    bits.word[0] = 5;
    bits.word[1] = 1;
    tool.maps.peers = {{{16, 20}, bits}};
    cidr_key cidr{.prefixlen = CIDR_KEY_BASE + 104, .ruleset = 16, .address = {}};
    std::ranges::copy(IpAddress::parse("10.0.0.0").value().bytes, cidr.address);
    tool.maps.cidrs = {{cidr, bits}};
    tool.maps.ports = {{{.prefixlen = PORT_KEY_BASE + 12,
                         .ruleset = 16,
                         .pad = 0,
                         .protocol = 6,
                         .port = htons(8080)},
                        bits}};
    Json expected{0, 2, 64};
    EXPECT_EQ(tool.json({"map", "dump", "peer_map"})[0]["bits"], expected);
    EXPECT_EQ(tool.json({"map", "dump", "cidr_map"})[0]["cidr"], "10.0.0.0/8");
    Json port = tool.json({"map", "dump", "port_map"})[0];
    EXPECT_EQ(port["first_port"], 8080);
    EXPECT_EQ(port["last_port"], 8095);
    Json rule = tool.json({"map", "dump", "ruleset_map"})[1];
    EXPECT_EQ(rule["any_peer"], true);
    EXPECT_EQ(rule["tier"], "network-policy");
    EXPECT_EQ(tool.json({"map", "dump", "rule_map"})[0]["number"], 7);
    EXPECT_EQ(tool.json({"map", "dump", "endpoint_map"})[0]["ingress"][0], "16");
}

TEST(Counters, AddUpByVerdict)
{
    Tool tool;
    tool.add_pod(1, "shop", "db", {"10.0.0.1"});
    auto& rows = tool.maps.counters[101].row;
    rows[counter_row(DIRECTION_INGRESS, REASON_RULE, 0)] = {2, 200};
    rows[counter_row(DIRECTION_INGRESS, REASON_NODE, 0)] = {1, 100};
    rows[counter_row(DIRECTION_INGRESS, REASON_DENIED, 0)] = {4, 400};
    rows[counter_row(DIRECTION_EGRESS, REASON_DENIED, 1)] = {8, 800};
    Json pods = tool.json({"stats", "pods"});
    ASSERT_EQ(pods.size(), 2);
    EXPECT_EQ(pods[0]["allowed_packets"], 3);
    EXPECT_EQ(pods[0]["denied_bytes"], 400);
    EXPECT_EQ(pods[0]["would_deny_packets"], 0);
    EXPECT_EQ(pods[1]["would_deny_bytes"], 800);
    Json reasons = tool.json({"stats", "reasons"});
    ASSERT_EQ(reasons.size(), 4);
    EXPECT_EQ(reasons[3], (Json{{"namespace", "shop"},
                                {"pod", "db"},
                                {"direction", "egress"},
                                {"verdict", "would-deny"},
                                {"reason", "denied"},
                                {"packets", 8},
                                {"bytes", 800}}));
    EXPECT_EQ(tool.json({"map", "dump", "counter_map"}).size(), 4);
}

TEST(Counters, ClosedInterfacesHaveAMap)
{
    Tool tool;
    tool.maps.closed[DIRECTION_EGRESS] = {3, 300};
    const Json rows = tool.json({"map", "dump", "closed_map"});
    ASSERT_EQ(rows.size(), 2);
    EXPECT_EQ(rows[0], (Json{{"direction", "egress"}, {"packets", 3}, {"bytes", 300}}));
    EXPECT_EQ(rows[1], (Json{{"direction", "ingress"}, {"packets", 0}, {"bytes", 0}}));
}

TEST(Counters, LossNamesRingsAndTables)
{
    Tool tool;
    tool.maps.losses.type[EVENT_FLOW_OPEN] = {10, 7, 2, 1};
    tool.maps.losses.flows_evicted = 3;
    Json loss = tool.json({"stats", "loss"});
    EXPECT_EQ(loss["rings"][1], (Json{{"ring", "flows"},
                                      {"produced", 10},
                                      {"delivered", 7},
                                      {"suppressed", 2},
                                      {"lost", 1}}));
    EXPECT_EQ(loss["tables"][1], (Json{{"table", "pending"}, {"full", 3}}));
}

TEST(Counters, LossShowsTypesCpusAndClients)
{
    Tool tool;
    tool.maps.losses.type[EVENT_DROP] = {4, 3, 0, 1};
    tool.answers["/v1/loss"] =
        R"({"read":3,"history":{"kept":2,"evicted":1},"gone":{"clients":5,"cut_off":1},"clients":
            [{"client":7,"since":"t","filter":"not_port=53","offered":3,"sent":2,"lost":1}]})";
    const Json loss = tool.json({"stats", "loss"});
    EXPECT_EQ(
        loss["types"][EVENT_DROP - 1],
        (Json{
            {"type", "drop"}, {"produced", 4}, {"delivered", 3}, {"suppressed", 0}, {"lost", 1}}));
    EXPECT_EQ(loss["cpus"][0]["cpu"], 0);
    EXPECT_EQ(loss["cpus"][0]["ring"], "refusals");
    EXPECT_EQ(loss["agent"]["clients"][0]["client"], 7);
    tool.run({"stats", "loss"});
    EXPECT_NE(tool.out.find("not_port=53"), std::string::npos);
    EXPECT_EQ(tool.out.find("CPU"), std::string::npos);
    tool.run({"stats", "loss", "-o", "wide"});
    EXPECT_NE(tool.out.find("CPU"), std::string::npos);
}

TEST(Counters, LossOfTheRingsNeedsNoAgent)
{
    Tool tool;
    EXPECT_EQ(tool.run({"stats", "loss"}), Exit::ok);
    EXPECT_NE(tool.err.find("the agent says no"), std::string::npos);
    EXPECT_EQ(tool.out.find("CLIENT"), std::string::npos);
}

TEST(Maps, DumpRefusesWhatHasNoEntries)
{
    Tool tool;
    tool.maps.summaries = {{.name = "flow_ring", .type = "ringbuf"}};
    EXPECT_EQ(tool.json({"map", "list"})[0]["name"], "flow_ring");
    EXPECT_EQ(tool.run({"map", "dump", "flow_ring"}), Exit::error);
    EXPECT_EQ(tool.run({"map", "dump", "nope"}), Exit::not_found);
}

} // namespace
} // namespace ebpfd::ctl
