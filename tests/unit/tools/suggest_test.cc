// SPDX-License-Identifier: Apache-2.0
#include "tool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ebpfd::ctl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(PolicySuggest, PrintsTheTextAsItIs)
{
    Tool tool;
    tool.answers["/v1/policy/suggest"] = R"({"policies": [], "yaml": "# a\nb: \"\\n\"\n"})";
    EXPECT_EQ(tool.run({"policy", "suggest", "-n", "a b", "--workload", "web", "--isolate"}),
              Exit::ok);
    EXPECT_EQ(tool.out, "# a\nb: \"\\n\"\n");
    EXPECT_THAT(tool.asked,
                ElementsAre("/v1/policy/suggest?isolate=1&namespace=a%20b&workload=web"));
    EXPECT_EQ(tool.json({"policy", "suggest", "-n", "shop", "-A"})["policies"], Json::array());
    EXPECT_EQ(tool.asked.back(), "/v1/policy/suggest?isolate=0");
}

TEST(PolicySuggest, TextThatCouldSteerATerminalIsRefused)
{
    Tool tool;
    tool.answers["/v1/policy/suggest"] = "{\"yaml\": \"\\u001b[2J\"}";
    EXPECT_EQ(tool.run({"policy", "suggest"}), Exit::error);
    EXPECT_EQ(tool.out, "");
}

TEST(PolicySuggest, NothingSeenIsNoError)
{
    Tool tool;
    tool.answers["/v1/policy/suggest"] = R"({"policies": [], "yaml": ""})";
    EXPECT_EQ(tool.run({"policy", "suggest"}), Exit::ok);
    EXPECT_THAT(tool.err, HasSubstr("nothing was seen"));
    tool.answers.clear();
    EXPECT_EQ(tool.run({"policy", "suggest"}), Exit::unreachable);
}

} // namespace
} // namespace ebpfd::ctl
