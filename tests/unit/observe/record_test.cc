// SPDX-License-Identifier: Apache-2.0
#include "unit/observe/records.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace ebpfd {
namespace {

using Json = nlohmann::json;
using namespace ebpfd::testing;

Json line_of(const event& raw, const Names& names, int64_t offset = 0)
{
    const auto line = to_json_line(attribute(raw, names, offset));
    EXPECT_EQ(line.find('\n'), line.size() - 1);
    return Json::parse(line);
}

TEST(Record, SaysWhoTalkedToWhomByWhichRule)
{
    // 2026-01-01T00:00:00Z.
    const auto json = line_of(opened(5), *names(), 1'767'225'600'000'000'000);
    EXPECT_EQ(json, Json::parse(R"({
        "time": "2026-01-01T00:00:00.000000005Z", "type": "flow_open", "verdict": "allow",
        "reason": "rule", "direction": "egress",
        "source": {"namespace": "shop", "pod": "web", "ip": "10.0.0.1", "port": 40000},
        "destination": {"namespace": "shop", "pod": "db", "ip": "10.0.0.2", "port": 5432},
        "protocol": "TCP", "policy": "shop/allow", "rule": "egress[2]", "file": "/p/allow.yaml",
        "line": 12, "enforced": null, "state": "established", "packets": 3, "bytes": 200,
        "ingress": {"packets": 1, "bytes": 60}, "egress": {"packets": 2, "bytes": 140},
        "generation": 4, "suppressed": 0, "interface": "veth7",
        "start": "2026-01-01T00:00:00.000000002Z", "end": "", "closed_by": "",
        "tcp": {"flags_ingress": ["SYN", "ACK"], "flags_egress": ["SYN"], "state": "", "srtt_us": 0,
                "connect_us": 0, "retransmissions": 0, "resets_sent": 0, "resets_received": 0},
        "kernel_drops": 0, "kernel_drop_reason": ""})"));
}

TEST(Record, AFlowThatEndsTellsOfItsHealthAndWhoClosedIt)
{
    event end = opened(9);
    end.type = EVENT_FLOW_CLOSE;
    end.seen_ns = 8;
    end.closer = CLOSER_PEER;
    end.health.srtt_us = 250;
    end.health.connect_us = 300;
    end.health.retransmissions = 2;
    end.health.resets_sent = 1;
    end.health.resets_received = 3;
    end.health.tcp_state = 7;
    end.health.drops = 4;
    end.health.drop_reason = 6;
    Names words = *names();
    words.drop_reasons[6] = std::make_shared<std::string>("SOCKET_RCVBUFF");
    const auto json = line_of(end, words);
    EXPECT_EQ(json["end"], "1970-01-01T00:00:00.000000008Z");
    EXPECT_EQ(json["closed_by"], "destination");
    EXPECT_EQ(json["tcp"]["state"], "close");
    EXPECT_EQ(json["tcp"]["srtt_us"], 250);
    EXPECT_EQ(json["tcp"]["connect_us"], 300);
    EXPECT_EQ(json["tcp"]["retransmissions"], 2);
    EXPECT_EQ(json["tcp"]["resets_sent"], 1);
    EXPECT_EQ(json["tcp"]["resets_received"], 3);
    EXPECT_EQ(json["kernel_drops"], 4);
    EXPECT_EQ(json["kernel_drop_reason"], "SOCKET_RCVBUFF");
    end.health.drop_reason = 0x20001; // of a subsystem
    EXPECT_EQ(line_of(end, words)["kernel_drop_reason"], "0x20001");
}

TEST(Record, WhatHooksSayOfNoFlowHasNoVerdict)
{
    event refused_connect = opened();
    refused_connect.type = EVENT_TCP_RESET_SENT;
    refused_connect.opened_ns = 0;
    const auto json = line_of(refused_connect, *names());
    EXPECT_EQ(json["type"], "tcp_reset_sent");
    EXPECT_EQ(json["verdict"], "");
    EXPECT_EQ(json["start"], "");
}

TEST(Record, OnlyTcpHasItsMembers)
{
    event datagram = opened();
    datagram.key.protocol = IPPROTO_UDP;
    EXPECT_TRUE(line_of(datagram, *names())["tcp"].is_null());
}

TEST(Record, OrientationIsThatOfTheOpening)
{
    const auto json = line_of(refused(), *names());
    EXPECT_EQ(json["source"]["pod"], "db");
    EXPECT_EQ(json["destination"]["pod"], "web");
    EXPECT_EQ(json["destination"]["port"], 40000);
}

TEST(Record, IsolationNamesItsPolicies)
{
    const auto json = line_of(refused(), *names());
    EXPECT_EQ(json["policy"], "shop/one,shop/two");
    EXPECT_EQ(json["rule"], "isolation");
    EXPECT_EQ(json["suppressed"], 3);
}

TEST(Record, UnknownNamesAreEmpty)
{
    const auto json = line_of(opened(1, "192.0.2.1"), Names{});
    EXPECT_EQ(json["source"]["pod"], "");
    EXPECT_EQ(json["source"]["ip"], "10.0.0.1");
    EXPECT_EQ(json["destination"]["namespace"], "");
    EXPECT_EQ(json["policy"], "");
    EXPECT_EQ(json["rule"], "");
    EXPECT_EQ(json["line"], 0);
    EXPECT_EQ(json["interface"], "");
}

TEST(Record, EchoIdentifierIsNoPort)
{
    event ping = opened();
    ping.key.protocol = IPPROTO_ICMP;
    const auto json = line_of(ping, *names());
    EXPECT_EQ(json["protocol"], "ICMP");
    EXPECT_EQ(json["source"]["port"], 0);
    EXPECT_EQ(json["destination"]["port"], 0);
}

TEST(Record, HostileNamesStayInsideTheirString)
{
    Names hostile = *names();
    hostile.interfaces[7] = std::make_shared<PodName>("a\"b", "x\n{\x1b\xff", "veth7");
    const auto line = to_json_line(attribute(opened(), hostile, 0));
    EXPECT_EQ(std::ranges::count(line, '\n'), 1);
    EXPECT_EQ(line.find('\x1b'), line.npos);
    EXPECT_EQ(Json::parse(line)["source"]["namespace"], "a\"b");
}

} // namespace
} // namespace ebpfd
