// SPDX-License-Identifier: Apache-2.0
#include "ebpfctl/trace.h"
#include "tool.h"

#include <gtest/gtest.h>

namespace ebpfd::ctl {
namespace {

struct Trace : testing::Test {
    Tool tool;
    std::vector<TraceQuestion> questions;
    verdict egress = VERDICT_ALLOW;
    verdict ingress = VERDICT_ALLOW;

    Trace()
    {
        tool.add_pod(1, "shop", "web", {"10.0.0.1", "fd00::1"});
        tool.add_pod(2, "shop", "db", {"fd00::2", "10.0.0.2"});
        tool.add_rule(9, "shop", "db", RULE_ISOLATION);
        tool.answers["/v1/pods"] =
            R"([{"namespace":"far","name":"away","addresses":["10.9.0.1"]}])";
        tool.maps.trace = [this](const TraceQuestion& question) -> Result<TraceAnswer> {
            questions.push_back(question);
            verdict outcome = question.dir == DIRECTION_EGRESS ? egress : ingress;
            bool allowed = outcome == VERDICT_ALLOW;
            return TraceAnswer{outcome, allowed ? REASON_NO_POLICY : REASON_DENIED,
                               allowed ? 0U : 9U, RULESET_FIRST, 20};
        };
    }

    Json trace(const std::string& from, const std::string& to, const std::string& port)
    {
        return tool.json({"policy", "trace", "--from", from, "--to", to, "--port", port});
    }
};

TEST_F(Trace, BothLocalSidesAreAskedWithOneFamily)
{
    Json answer = trace("shop/web", "shop/db", "80/tcp");
    EXPECT_EQ(answer["verdict"], "allow");
    EXPECT_EQ(answer["from"], (Json{{"namespace", "shop"}, {"pod", "web"}, {"ip", "10.0.0.1"}}));
    EXPECT_EQ(answer["to"]["ip"], "10.0.0.2");
    ASSERT_EQ(questions.size(), 2);
    EXPECT_EQ(questions[0].dir, DIRECTION_EGRESS);
    EXPECT_EQ(questions[0].ifindex, 1);
    EXPECT_EQ(questions[1].dir, DIRECTION_INGRESS);
    EXPECT_EQ(questions[1].ifindex, 2);
    EXPECT_EQ(questions[1].port, 80);
    EXPECT_EQ(questions[1].protocol, 6);
}

TEST_F(Trace, OneSideThatDeniesDecides)
{
    ingress = VERDICT_DENY;
    Json answer = trace("shop/web", "shop/db", "80");
    EXPECT_EQ(answer["verdict"], "deny");
    EXPECT_EQ(answer["steps"][0]["verdict"], "allow");
    const Json& step = answer["steps"][1];
    EXPECT_EQ(step["direction"], "ingress");
    EXPECT_EQ(step["pod"], "db");
    EXPECT_EQ(step["reason"], "denied");
    EXPECT_EQ(step["policy"], "shop/db");
    EXPECT_EQ(step["rule"], "isolation");
    EXPECT_EQ(step["file"], "policies.yaml");
    EXPECT_EQ(step["line"], 7);
}

TEST_F(Trace, AuditedDenialIsNoDenial)
{
    egress = VERDICT_WOULD_DENY;
    EXPECT_EQ(trace("shop/web", "shop/db", "80")["verdict"], "would-deny");
    ingress = VERDICT_DENY;
    EXPECT_EQ(trace("shop/web", "shop/db", "80")["verdict"], "deny");
}

TEST_F(Trace, ExitCodeTellsOnlyWhenAskedTo)
{
    std::vector<std::string> arguments{"policy", "trace",   "--from", "shop/web",
                                       "--to",   "shop/db", "--port", "80"};
    std::vector<std::string> strict = arguments;
    strict.push_back("--exit-code");
    EXPECT_EQ(tool.run(strict), Exit::ok);
    ingress = VERDICT_DENY;
    EXPECT_EQ(tool.run(arguments), Exit::ok);
    EXPECT_EQ(tool.run(strict), Exit::denied);
    EXPECT_NE(tool.out.find("Verdict:   deny"), std::string::npos) << tool.out;
    EXPECT_NE(tool.out.find("policies.yaml:7"), std::string::npos) << tool.out;
}

TEST_F(Trace, RemotePodsAreKnownByTheAgent)
{
    Json answer = trace("far/away", "shop/db", "53/udp");
    EXPECT_EQ(answer["from"]["ip"], "10.9.0.1");
    ASSERT_EQ(answer["steps"].size(), 1);
    EXPECT_EQ(answer["steps"][0]["direction"], "ingress");
    EXPECT_EQ(questions[0].protocol, 17);
}

TEST_F(Trace, AddressesOfLocalPodsAreThosePods)
{
    Json answer = trace("fd00::1", "2001:db8::1", "icmp");
    EXPECT_EQ(answer["from"]["pod"], "web");
    EXPECT_EQ(answer["protocol"], "ICMPv6");
    ASSERT_EQ(answer["steps"].size(), 1);
    EXPECT_EQ(answer["steps"][0]["direction"], "egress");
}

TEST_F(Trace, SomebodyMustBeLocalAndKnown)
{
    auto run = [&](const std::string& from, const std::string& to) {
        return tool.run({"policy", "trace", "--from", from, "--to", to, "--port", "80"});
    };
    EXPECT_EQ(run("far/away", "192.0.2.1"), Exit::not_found);
    EXPECT_EQ(run("shop/nobody", "shop/db"), Exit::not_found);
    EXPECT_EQ(run("shop/web", "2001:db8::1"), Exit::ok);
    EXPECT_EQ(run("10.0.0.1", "2001:db8::1"), Exit::error);
    tool.answers.clear();
    EXPECT_EQ(run("far/away", "shop/db"), Exit::unreachable);
}

TEST(TracePort, ReadsProtocolAndNumber)
{
    EXPECT_EQ(parse_trace_port("80/TCP")->protocol, 6);
    EXPECT_EQ(parse_trace_port("9999/sctp")->protocol, 132);
    EXPECT_EQ(parse_trace_port("65535/udp")->number, 65535);
    EXPECT_EQ(parse_trace_port("ICMP")->protocol, 1);
    for (const char* text : {"", "tcp", "0/tcp", "65536/tcp", "80/", "80/icmp", "80tcp", "-1/tcp"})
        EXPECT_FALSE(parse_trace_port(text)) << text;
}

} // namespace
} // namespace ebpfd::ctl
