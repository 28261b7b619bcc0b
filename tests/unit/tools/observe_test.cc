// SPDX-License-Identifier: Apache-2.0
#include "tool.h"

#include <gtest/gtest.h>

namespace ebpfd::ctl {
namespace {

const char* const DROP =
    R"({"time":"2026-01-02T03:04:05.678901234Z","type":"drop","verdict":"deny","reason":"denied",)"
    R"("direction":"ingress","source":{"namespace":"shop","pod":"web","ip":"10.0.0.1","port":40000},)"
    R"("destination":{"namespace":"","pod":"","ip":"fd00::2","port":80},"protocol":"TCP",)"
    R"("policy":"shop/db","rule":"isolation","file":"/etc/db.yaml","line":3,"suppressed":2})";

TEST(Observe, EventsReadAsOneLine)
{
    Tool tool;
    tool.lines = {DROP};
    EXPECT_EQ(tool.run({"observe"}), Exit::ok);
    EXPECT_EQ(tool.out, "03:04:05.678 drop        ingress shop/web:40000 -> [fd00::2]:80 TCP deny "
                        "(shop/db isolation /etc/db.yaml:3) +2 like it\n");
}

TEST(Observe, VerdictsAreColoured)
{
    Tool tool;
    tool.lines = {DROP};
    tool.run({"observe", "--color", "always"});
    EXPECT_NE(tool.out.find("\033[31mdeny\033[0m"), std::string::npos);
}

TEST(Observe, JsonlPassesTheObjectsOn)
{
    Tool tool;
    tool.lines = {DROP, DROP};
    tool.run({"observe", "-o", "jsonl"});
    EXPECT_EQ(tool.out, std::string(DROP) + "\n" + DROP + "\n");
}

TEST(Observe, FiltersBecomeTheQuery)
{
    Tool tool;
    tool.run({"observe", "-f", "--last", "5", "--since", "1m", "--from-pod", "shop/web",
              "--protocol", "icmpv6", "--type", "drop,flow_open", "-n", "shop"});
    ASSERT_EQ(tool.asked.size(), 1);
    EXPECT_EQ(tool.asked[0], "/v1/observe?follow=1&last=5&since=60&from_pod=shop%2Fweb"
                             "&protocol=ICMPv6&type=drop&type=flow_open&namespace=shop");
}

TEST(Observe, FollowingEndsWithTheAgent)
{
    Tool tool;
    tool.lines = {DROP};
    EXPECT_EQ(tool.run({"observe", "-f"}), Exit::unreachable);
    EXPECT_NE(tool.out, "");
}

TEST(Observe, LostEventsAreSaid)
{
    Tool tool;
    tool.lines = {R"({"time":"x","type":"lost","records":12})"};
    tool.run({"observe"});
    EXPECT_EQ(tool.out, "12 events lost: they came faster than this reader takes them\n");
}

} // namespace
} // namespace ebpfd::ctl
