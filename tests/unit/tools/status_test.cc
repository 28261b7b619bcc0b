// SPDX-License-Identifier: Apache-2.0
#include "tool.h"

#include <gtest/gtest.h>

namespace ebpfd::ctl {
namespace {

const char* const WELL = R"({"health":"ok","revision":4,"last_apply":{"time":"t","error":""},
    "files_with_errors":[],"capacities":[{"name":"flows","used":1,"capacity":2,
    "option":"--max-flows"}],"hooks":[{"name":"tc","attachment":"tcx"}]})";

const char* const REFUSED = R"({"health":"degraded","revision":4,
    "last_apply":{"time":"t","error":""},"files_with_errors":[
    {"file":"/etc/a.yaml","line":6,"column":3,"reason":"unknown field\u001b[2J"}]})";

TEST(Status, HealthIsTheExitCode)
{
    Tool tool;
    tool.answers["/v1/status"] = WELL;
    EXPECT_EQ(tool.run({"status"}), Exit::ok);
    EXPECT_NE(tool.out.find("--max-flows"), std::string::npos) << tool.out;
    tool.answers["/v1/status"] = REFUSED;
    EXPECT_EQ(tool.run({"status"}), Exit::degraded);
    EXPECT_NE(tool.out.find("  /etc/a.yaml:6:3: unknown field\\x1b[2J\n"), std::string::npos)
        << tool.out;
}

TEST(Status, WaitRescansAndTellsRefusedFiles)
{
    Tool tool;
    tool.answers["/v1/rescan"] = WELL;
    EXPECT_EQ(tool.run({"status", "--wait", "--timeout", "2s"}), Exit::ok);
    EXPECT_TRUE(tool.asked[0].starts_with("/v1/rescan?timeout_ms=")) << tool.asked[0];
    tool.answers["/v1/rescan"] = REFUSED;
    EXPECT_EQ(tool.run({"status", "--wait"}), Exit::degraded);
}

TEST(Status, WaitIsNotSatisfiedByAFailedApply)
{
    Tool tool;
    tool.answers["/v1/rescan"] =
        R"({"health":"degraded","files_with_errors":[],"last_apply":{"error":"no room"}})";
    EXPECT_EQ(tool.run({"status", "--wait"}), Exit::degraded);
    EXPECT_NE(tool.out.find("failed: no room"), std::string::npos) << tool.out;
}

TEST(Status, WaitIsNotSatisfiedByAFolderThatCannotBeRead)
{
    Tool tool;
    const auto with_tolerated = [&](const std::string& tolerated) {
        tool.answers["/v1/rescan"] =
            R"({"health":"ok","files_with_errors":[],"last_apply":{"error":""},"directories":[
                {"path":"/p","error":""},{"path":"/q","error":"away","tolerated":)" +
            tolerated + "}]}";
        return tool.run({"status", "--wait"});
    };
    EXPECT_EQ(with_tolerated("false"), Exit::degraded);
    EXPECT_EQ(with_tolerated("true"), Exit::ok) << "a default one that is not there yet";
}

TEST(Status, WaitTriesAgainUntilTheTimeIsUp)
{
    Tool tool;
    EXPECT_EQ(tool.run({"status", "--wait", "--timeout", "120ms"}), Exit::unreachable);
    EXPECT_GE(tool.asked.size(), 2);
    tool.agent_error = ETIMEDOUT;
    EXPECT_EQ(tool.run({"status", "--wait", "--timeout", "1s"}), Exit::error);
}

TEST(Status, WithoutTheAgentSaysWhatStillWorks)
{
    Tool tool;
    EXPECT_EQ(tool.run({"status"}), Exit::unreachable);
    EXPECT_EQ(tool.out, "");
    EXPECT_NE(tool.err.find("map list"), std::string::npos);
}

} // namespace
} // namespace ebpfd::ctl
