// SPDX-License-Identifier: Apache-2.0
#include "tool.h"

#include <algorithm>
#include <arpa/inet.h>
#include <gtest/gtest.h>

namespace ebpfd::ctl {
namespace {

std::pair<flow_key, flow> make_flow(direction dir, uint16_t pod_port, const std::string& peer,
                                    uint16_t peer_port, uint64_t opened_ns)
{
    flow_key key{};
    std::ranges::copy(IpAddress::parse(peer).value().bytes, key.peer);
    key.ifindex = 1;
    key.pod_port = htons(pod_port);
    key.peer_port = htons(peer_port);
    key.protocol = 6;
    flow entry{};
    std::ranges::copy(IpAddress::parse("10.0.0.1").value().bytes, entry.pod);
    entry.direction = static_cast<__u8>(dir);
    entry.reason = REASON_RULE;
    entry.state = FLOW_ESTABLISHED;
    entry.rule = 9;
    entry.opened_ns = entry.seen_ns = opened_ns;
    entry.packets[DIRECTION_INGRESS] = 3;
    entry.packets[DIRECTION_EGRESS] = 4;
    entry.bytes[DIRECTION_INGRESS] = 300;
    return {key, entry};
}

struct FlowList : testing::Test {
    Tool tool;

    FlowList()
    {
        tool.add_pod(1, "shop", "web", {"10.0.0.1"});
        tool.add_rule(9, "shop", "a,b", RULE_ISOLATION);
        tool.maps.flows = {make_flow(DIRECTION_EGRESS, 40000, "10.9.0.1", 5432, 2000),
                           make_flow(DIRECTION_INGRESS, 80, "192.0.2.1", 50000, 1000)};
        tool.maps.pending = {make_flow(DIRECTION_EGRESS, 40001, "10.9.0.1", 9, 3000)};
        tool.answers["/v1/pods"] =
            R"([{"namespace":"far","name":"host","addresses":["192.0.2.1"],"host_network":true},
                {"namespace":"far","name":"db","addresses":["10.9.0.1"]}])";
    }

    size_t count(std::vector<std::string> filters)
    {
        filters.insert(filters.begin(), {"flow", "list"});
        return tool.json(filters).size();
    }
};

TEST_F(FlowList, SourceIsTheSideThatOpened)
{
    Json rows = tool.json({"flow", "list"});
    ASSERT_EQ(rows.size(), 2); // the oldest first
    EXPECT_EQ(rows[0]["source"],
              (Json{{"namespace", ""}, {"pod", ""}, {"ip", "192.0.2.1"}, {"port", 50000}}));
    EXPECT_EQ(rows[0]["destination"],
              (Json{{"namespace", "shop"}, {"pod", "web"}, {"ip", "10.0.0.1"}, {"port", 80}}));
    EXPECT_EQ(rows[1]["source"]["port"], 40000);
    EXPECT_EQ(rows[1]["destination"]["pod"], "db");
}

TEST_F(FlowList, NamesWhatDecidedAndCountsBothDirections)
{
    Json row = tool.json({"flow", "list"})[0];
    EXPECT_EQ(row["policy"], "shop/a,shop/b");
    EXPECT_EQ(row["rule"], "isolation");
    EXPECT_EQ(row["packets"], 7);
    EXPECT_EQ(row["ingress"], (Json{{"packets", 3}, {"bytes", 300}}));
    EXPECT_EQ(row["state"], "established");
    EXPECT_EQ(row["interface"], "veth1");
    EXPECT_EQ(row["opened"].get<std::string>().back(), 'Z');
}

TEST_F(FlowList, WithoutTheAgentPeersAreAddresses)
{
    tool.answers.clear();
    EXPECT_EQ(tool.json({"flow", "list"})[1]["destination"]["pod"], "");
}

TEST_F(FlowList, PendingOnesComeOnDemand)
{
    EXPECT_EQ(count({"--pending"}), 3);
}

TEST_F(FlowList, FiltersOrWithinAndAndAcross)
{
    EXPECT_EQ(count({"--pod", "shop/web"}), 2);
    EXPECT_EQ(count({"--pod", "far/db", "--pod", "far/nobody"}), 1);
    EXPECT_EQ(count({"--from-pod", "shop/web"}), 1);
    EXPECT_EQ(count({"--to-pod", "shop/web"}), 1);
    EXPECT_EQ(count({"--port", "80,5432"}), 2);
    EXPECT_EQ(count({"--port", "80", "--direction", "egress"}), 0);
    EXPECT_EQ(count({"--ip", "192.0.2.1"}), 1);
    EXPECT_EQ(count({"--protocol", "tcp"}), 2);
    EXPECT_EQ(count({"--protocol", "udp"}), 0);
    EXPECT_EQ(count({"--policy", "shop/b"}), 2);
    EXPECT_EQ(count({"--verdict", "deny"}), 0);
    EXPECT_EQ(count({"--verdict", "FORWARDED"}), 2);
    EXPECT_EQ(count({"--not", "--port", "80"}), 1);
    EXPECT_EQ(count({"--not", "--port", "80,5432"}), 0);
    EXPECT_EQ(count({"--ip", "192.0.2.0/24"}), 1);
    EXPECT_EQ(count({"--to-port", "80"}), 1);
    EXPECT_EQ(count({"--from-port", "80"}), 0);
    EXPECT_EQ(count({"--to-namespace", "far"}), 1);
    EXPECT_EQ(count({"--not", "--namespace", "far"}), 1);
    EXPECT_EQ(count({"-n", "far"}), 1);
    EXPECT_EQ(count({"-n", "far", "-A"}), 2);
}

TEST_F(FlowList, LabelsAreThoseThatTheAgentKnows)
{
    tool.answers["/v1/pods"] =
        R"([{"namespace":"far","name":"db","addresses":["10.9.0.1"],
             "labels":{"app":"db","tier":"back"}}])";
    EXPECT_EQ(count({"--label", "app=db,tier"}), 1);
    EXPECT_EQ(count({"--from-label", "app"}), 0);
    EXPECT_EQ(count({"--label", "app=web", "--label", "app=db"}), 1);
    EXPECT_EQ(count({"--not", "--label", "app=db"}), 1);
    tool.answers.clear();
    EXPECT_EQ(tool.run({"flow", "list", "--label", "app"}), Exit::unreachable);
}

TEST_F(FlowList, GetShowsTheWholeRecordOfOneFlow)
{
    auto& [key, entry] = tool.maps.flows[0];
    entry.state = FLOW_CLOSED;
    entry.closer = CLOSER_POD;
    entry.tcp_flags[DIRECTION_EGRESS] = 0x11;
    health seen{};
    seen.srtt_us = 1500;
    seen.retransmissions = 3;
    seen.tcp_state = 7;
    seen.drops = 2;
    seen.drop_reason = 6;
    tool.maps.flow_healths = {{key, seen}};
    const Json listed = tool.json({"flow", "list", "--port", "5432"});
    const std::string id = listed[0]["id"];
    const Json rows = tool.json({"flow", "get", id});
    ASSERT_EQ(rows.size(), 1);
    EXPECT_EQ(rows[0]["destination"]["port"], 5432);
    EXPECT_EQ(rows[0]["closed_by"], "source");
    EXPECT_NE(rows[0]["end"], "");
    EXPECT_EQ(rows[0]["tcp"]["flags_egress"], (Json{"FIN", "ACK"}));
    EXPECT_EQ(rows[0]["tcp"]["srtt_us"], 1500);
    EXPECT_EQ(rows[0]["tcp"]["retransmissions"], 3);
    EXPECT_EQ(rows[0]["tcp"]["state"], "close");
    EXPECT_EQ(rows[0]["kernel_drops"], 2);
    EXPECT_EQ(rows[0]["kernel_drop_reason"], "SOCKET_RCVBUFF");
    ASSERT_EQ(tool.run({"flow", "get", id}), Exit::ok);
    EXPECT_NE(tool.out.find("1.50 ms"), std::string::npos) << tool.out;
}

TEST_F(FlowList, GetTakesFiltersAndFindsPendingFlows)
{
    EXPECT_EQ(tool.json({"flow", "get", "--port", "9"}).size(), 1);
    EXPECT_EQ(tool.json({"flow", "get", "--pod", "shop/web"}).size(), 3);
    EXPECT_EQ(tool.run({"flow", "get", "--port", "10"}), Exit::not_found);
    EXPECT_EQ(tool.run({"flow", "get", "0000000000000000"}), Exit::not_found);
    EXPECT_EQ(tool.run({"flow", "get"}), Exit::usage);
}

TEST_F(FlowList, HealthOfAPodHasQuantilesOfItsHistograms)
{
    pod_health counted{};
    counted.srtt.bucket[8] = 100; // 256 to 511 us
    counted.srtt.sum_us = 40000;
    counted.retransmissions = 5;
    counted.connects_unmeasured = 2;
    tool.maps.healths[101] = counted;
    const Json row = tool.json({"stats", "health", "shop/web"})[0];
    EXPECT_EQ(row["pod"], "web");
    EXPECT_EQ(row["retransmissions"], 5);
    EXPECT_EQ(row["connects_unmeasured"], 2);
    EXPECT_EQ(row["srtt"]["count"], 100);
    EXPECT_EQ(row["srtt"]["p50_us"], 384);
    EXPECT_EQ(row["srtt"]["buckets"], (Json::array({{{"below_us", 512}, {"count", 100}}})));
    EXPECT_TRUE(row["connect"]["p99_us"].is_null());
    EXPECT_EQ(tool.run({"stats", "health", "shop/nobody"}), Exit::not_found);
}

TEST_F(FlowList, DropsOfTheKernelAreNamedInItsWords)
{
    tool.maps.kernel_drops = {
        {.endpoint_index = 101, .reason = 3, .total = {.packets = 7, .bytes = 700}},
        {.endpoint_index = 101, .reason = 0x20001, .total = {.packets = 1, .bytes = 1}},
        {.endpoint_index = 5, .reason = 3, .total = {.packets = 9, .bytes = 9}}};
    const Json rows = tool.json({"stats", "drops"});
    ASSERT_EQ(rows.size(), 2);
    EXPECT_EQ(rows[0], (Json{{"namespace", "shop"},
                             {"pod", "web"},
                             {"reason", "NO_SOCKET"},
                             {"packets", 7},
                             {"bytes", 700}}));
    EXPECT_EQ(rows[1]["reason"], "0x20001");
}

TEST_F(FlowList, DumpShowsPendingOnesToo)
{
    EXPECT_EQ(tool.json({"map", "dump", "flow_map"}).size(), 3);
}

} // namespace
} // namespace ebpfd::ctl
