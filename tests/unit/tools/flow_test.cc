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

TEST_F(FlowList, DumpOfPendingShowsThoseAlone)
{
    EXPECT_EQ(tool.json({"map", "dump", "pending_map"}).size(), 1);
    EXPECT_EQ(tool.json({"map", "dump", "flow_map"}).size(), 2);
}

} // namespace
} // namespace ebpfd::ctl
