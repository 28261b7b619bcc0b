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
    EXPECT_EQ(tool.out, "03:04:05.678 shop/web:40000 -> [fd00::2]:80 ingress drop deny "
                        "(shop/db isolation /etc/db.yaml:3) TCP +2 like it\n");
}

TEST(Observe, DropsOfTheKernelSayItsReason)
{
    Tool tool;
    tool.lines = {
        R"({"time":"2026-01-02T03:04:05.678901234Z","type":"kernel_drop","verdict":"allow",)"
        R"("reason":"rule","direction":"ingress","source":{"ip":"10.0.0.1","port":40000},)"
        R"("destination":{"ip":"fd00::2","port":80},"protocol":"UDP","policy":"shop/db",)"
        R"("rule":"ingress[0]","suppressed":0,"kernel_drop_reason":"NO_SOCKET"})"};
    EXPECT_EQ(tool.run({"observe"}), Exit::ok);
    EXPECT_EQ(tool.out, "03:04:05.678 10.0.0.1:40000 -> [fd00::2]:80 ingress kernel_drop allow "
                        "(kernel: NO_SOCKET) UDP\n");
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

// The query of a command, without what stands in all of them.
std::string query(std::vector<std::string> arguments)
{
    Tool tool;
    arguments.insert(arguments.begin(), "observe");
    if (tool.run(arguments) != Exit::ok || tool.asked.size() != 1)
        return tool.err;
    return tool.asked[0].substr(std::string("/v1/observe?follow=0").size());
}

TEST(Observe, NotNegatesTheFilterBehindIt)
{
    EXPECT_EQ(query({"--not", "--port", "53,80", "--port=443"}),
              "&port=443&not_port=53&not_port=80");
    EXPECT_EQ(query({"--not", "--from-pod=shop/web"}), "&not_from_pod=shop%2Fweb");
    EXPECT_EQ(query({"--not", "--namespace", "kube-system"}), "&not_namespace=kube-system");
}

TEST(Observe, NotBeforeAnythingElseIsAMistake)
{
    for (const std::vector<std::string>& bad : {std::vector<std::string>{"--not"},
                                                {"--not", "-f"},
                                                {"--not", "--follow"},
                                                {"--not", "--not", "--port", "53"}}) {
        Tool tool;
        auto arguments = bad;
        arguments.insert(arguments.begin(), "observe");
        EXPECT_EQ(tool.run(arguments), Exit::usage) << bad.back();
        EXPECT_TRUE(tool.asked.empty());
    }
}

TEST(Observe, VerdictsHaveTheWordsOfHubbleToo)
{
    EXPECT_EQ(query({"--verdict", "FORWARDED,dropped", "--verdict", "AUDIT"}),
              "&verdict=allow&verdict=deny&verdict=would-deny");
}

TEST(Observe, SidesLabelsAndBlocks)
{
    EXPECT_EQ(query({"--from-label", "app=web,tier", "--to-ip", "10.1.2.3/8", "--to-port", "53",
                     "--from-namespace", "shop"}),
              "&from_namespace=shop&from_label=app%3Dweb%2Ctier&to_ip=10.0.0.0%2F8&to_port=53");
}

TEST(Observe, TimesAreAgesOrMoments)
{
    EXPECT_EQ(query({"--since", "5m", "--until", "2026-01-31T23:59:00Z"}),
              "&since=300&until=2026-01-31T23%3A59%3A00Z");
    Tool tool;
    EXPECT_EQ(tool.run({"observe", "--since", "yesterday"}), Exit::usage);
    EXPECT_EQ(tool.run({"observe", "-f", "--until", "5m"}), Exit::usage);
}

TEST(Observe, TextFromOutsideCannotSteerTheTerminal)
{
    Tool tool;
    tool.lines = {
        R"({"time":"t","type":"drop","source":{"namespace":"a","pod":"\u001b[2J\u202egp","ip":"1"}})"};
    for (const char* format : {"table", "wide", "json", "jsonl"}) {
        tool.run({"observe", "-o", format, "--color", "never"});
        EXPECT_EQ(tool.out.find('\x1b'), std::string::npos) << format;
        EXPECT_EQ(tool.out.find("\u202e"), std::string::npos) << format;
    }
}

} // namespace
} // namespace ebpfd::ctl
