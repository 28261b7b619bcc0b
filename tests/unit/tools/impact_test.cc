// SPDX-License-Identifier: Apache-2.0
#include "tool.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ebpfd::ctl {
namespace {

using testing::HasSubstr;

const char* const ANSWER = R"({"errors": [], "changes": [{"change": "cut",
    "source": {"kind": "Deployment", "namespace": "shop", "name": "web"},
    "destination": {"kind": "", "namespace": "", "name": "203.0.113.0/24"},
    "port": 443, "protocol": "TCP", "direction": "egress", "flows": 12, "open": 3,
    "last_seen": "2026-01-31T23:59:00Z", "reason": "denied", "policy": "shop/web",
    "rule": "isolation", "file": "new.yaml", "line": 3,
    "before": {"reason": "no-policy", "policy": "", "rule": "", "file": "", "line": 0},
    "example": {"source": {"namespace": "shop", "pod": "web-1", "ip": "10.1.0.10", "port": 40000},
                "destination": {"namespace": "", "pod": "", "ip": "203.0.113.7", "port": 443}}}],
    "flows": {"judged": 20, "open": 5, "unchanged": 8, "cut": 12, "cut_open": 3,
              "newly_allowed": 0, "not_judged": 1},
    "history": {"since": "2026-01-31T23:00:00Z", "records": 40},
    "policies": {"added": ["shop/web"], "replaced": [], "removed": []},
    "notes": ["a note"], "warnings": []})";

struct PolicyImpact : testing::Test {
    std::string folder = testing::TempDir() + "ebpfctl-XXXXXX";
    Tool tool;

    PolicyImpact()
    {
        EXPECT_NE(mkdtemp(folder.data()), nullptr);
        tool.answers["/v1/policy/impact"] = ANSWER;
    }
    ~PolicyImpact() override { std::filesystem::remove_all(folder); }

    std::string write(const std::string& text)
    {
        std::string path = folder + "/new.yaml";
        std::ofstream(path) << text;
        return path;
    }
};

TEST_F(PolicyImpact, SendsTheFilesAndShowsWhatWouldBeCut)
{
    const std::string file = write("apiVersion: a\nkind: A\n");
    EXPECT_EQ(tool.run({"policy", "impact", "--remove", "shop/old", file}), Exit::ok) << tool.err;
    const Json sent = Json::parse(tool.posted.at(0));
    EXPECT_EQ(sent["files"][0]["name"], file);
    EXPECT_EQ(sent["files"][0]["text"], "apiVersion: a\nkind: A\n");
    EXPECT_EQ(sent["remove"], Json::array({"shop/old"}));
    EXPECT_THAT(tool.out, HasSubstr("cut     shop/web  203.0.113.0/24  443/TCP  12     3     "
                                    "egress  shop/web  isolation  new.yaml:3"));
    EXPECT_THAT(tool.out, HasSubstr("Would be cut:       12"));
    EXPECT_THAT(tool.err, HasSubstr("a note"));
}

TEST_F(PolicyImpact, TheStandardInputStandsForOneFile)
{
    EXPECT_EQ(tool.run({"policy", "impact", "-", "-"}), Exit::usage);
    EXPECT_THAT(tool.err, HasSubstr("once only"));
    EXPECT_TRUE(tool.posted.empty());
}

TEST_F(PolicyImpact, TheExitCodeSaysOfCutsIfAsked)
{
    const std::string file = write("");
    EXPECT_EQ(tool.run({"policy", "impact", file, "--exit-code"}), Exit::denied);
    tool.answers["/v1/policy/impact"] = R"({"errors": [], "flows": {"cut": 0}})";
    EXPECT_EQ(tool.run({"policy", "impact", file, "--exit-code"}), Exit::ok);
}

TEST_F(PolicyImpact, ErrorsOfFilesHaveTheirPlace)
{
    const std::string file = write("apiVersion: a\nkind: A\n");
    tool.answers["/v1/policy/impact"] =
        R"({"errors": [{"file": "new.yaml", "line": 4, "column": 7, "reason": "no"}]})";
    EXPECT_EQ(tool.run({"policy", "impact", file}), Exit::error);
    EXPECT_EQ(tool.err, "new.yaml:4:7: no\n");
    EXPECT_EQ(tool.out, "");
}

TEST_F(PolicyImpact, TextThatCannotBeParsedIsNotSent)
{
    const std::string file = write("a: \xff\n");
    EXPECT_EQ(tool.run({"policy", "impact", file}), Exit::error);
    EXPECT_THAT(tool.err, HasSubstr("new.yaml:1:"));
    EXPECT_TRUE(tool.posted.empty());
    EXPECT_EQ(tool.run({"policy", "impact", folder + "/none.yaml"}), Exit::error);
}

TEST_F(PolicyImpact, WithoutTheAgentOrAnythingToJudgeItFails)
{
    EXPECT_EQ(tool.run({"policy", "impact"}), Exit::usage);
    EXPECT_EQ(tool.run({"policy", "impact", "--remove", "bare"}), Exit::usage);
    tool.answers.clear();
    EXPECT_EQ(tool.run({"policy", "impact", "--remove", "old", "-n", "shop"}), Exit::unreachable);
    EXPECT_THAT(tool.posted.at(0), HasSubstr("shop/old"));
}

} // namespace
} // namespace ebpfd::ctl
