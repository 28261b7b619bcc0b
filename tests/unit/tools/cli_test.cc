// SPDX-License-Identifier: Apache-2.0
#include "tool.h"

#include <cstdlib>
#include <gtest/gtest.h>

namespace ebpfd::ctl {
namespace {

TEST(Cli, GlobalOptionsStandBeforeAndBehindTheCommand)
{
    Tool tool;
    tool.add_pod(1, "shop", "web", {"10.0.0.1"});
    EXPECT_EQ(tool.run({"-o", "jsonl", "endpoint", "list"}), Exit::ok);
    std::string before = tool.out;
    EXPECT_EQ(tool.run({"endpoint", "list", "-o", "jsonl"}), Exit::ok);
    EXPECT_EQ(tool.out, before);
    EXPECT_EQ(Json::parse(before)["pod"], "web");
}

TEST(Cli, WrongUsageExitsWith2AndSaysSoOnStderr)
{
    for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
             {},
             {"nope"},
             {"endpoint"},
             {"endpoint", "get"},
             {"endpoint", "get", "web"},
             {"endpoint", "get", "a/b/c"},
             {"endpoint", "list", "--nope"},
             {"endpoint", "list", "-o", "xml"},
             {"--color", "maybe", "version"},
             {"status", "--wait", "--timeout", "soon"},
             {"observe", "--since", "yesterday"},
             {"observe", "--verdict", "maybe"},
             {"flow", "list", "--port", "70000"},
             {"flow", "list", "--protocol", "tpc"},
             {"flow", "list", "--ip", "10.0.0"},
             {"policy", "trace", "--from", "a/b", "--to", "a/c", "--port", "80/xyz"},
             {"completion", "tcsh"},
         }) {
        Tool tool;
        EXPECT_EQ(tool.run(arguments), Exit::usage) << testing::PrintToString(arguments);
        EXPECT_EQ(tool.out, "");
        EXPECT_NE(tool.err, "");
    }
}

TEST(Cli, HelpGoesToStdout)
{
    Tool tool;
    EXPECT_EQ(tool.run({"policy", "trace", "--help"}), Exit::ok);
    EXPECT_NE(tool.out.find("--exit-code"), std::string::npos);
    EXPECT_EQ(tool.err, "");
}

TEST(Cli, ErrorsMapToExitCodes)
{
    Tool tool;
    EXPECT_EQ(tool.run({"endpoint", "get", "shop/web"}), Exit::not_found);
    EXPECT_EQ(tool.run({"policy", "list"}), Exit::unreachable);
    tool.agent_error = EACCES;
    EXPECT_EQ(tool.run({"policy", "list"}), Exit::permission);
    tool.agent_error = ENOENT;
    EXPECT_EQ(tool.run({"policy", "get", "shop/db"}), Exit::not_found);
    tool.agent_error = EIO;
    EXPECT_EQ(tool.run({"policy", "list"}), Exit::error);
    tool.maps_error = EPERM;
    EXPECT_EQ(tool.run({"endpoint", "list"}), Exit::permission);
}

TEST(Cli, NothingPinnedReadsAsNoAgent)
{
    Tool tool;
    tool.maps_error = ENOENT;
    EXPECT_EQ(tool.run({"--bpffs", "/x", "map", "list"}), Exit::unreachable);
    EXPECT_EQ(tool.err, "ebpfctl: nothing is pinned below /x: is ebpfd running?\n");
}

TEST(Cli, NamespaceCompletesNamesAndLimitsLists)
{
    Tool tool;
    tool.add_pod(1, "shop", "web", {"10.0.0.1"});
    tool.add_pod(2, "office", "web", {"10.0.0.2"});
    EXPECT_EQ(tool.json({"-n", "office", "endpoint", "get", "web"})["addresses"][0], "10.0.0.2");
    EXPECT_EQ(tool.json({"endpoint", "list"}).size(), 2);
    EXPECT_EQ(tool.json({"endpoint", "list", "-n", "shop"}).size(), 1);
    EXPECT_EQ(tool.json({"endpoint", "list", "-n", "shop", "-A"}).size(), 2);
}

TEST(Cli, ColourIsForTerminalsUnlessAskedFor)
{
    Tool tool;
    tool.answers["/v1/status"] = R"({"health":"ok"})";
    tool.run({"status"});
    EXPECT_EQ(tool.out.find('\033'), std::string::npos);
    tool.run({"status", "--color", "always"});
    EXPECT_NE(tool.out.find("\033[32mok"), std::string::npos);
}

} // namespace
} // namespace ebpfd::ctl
