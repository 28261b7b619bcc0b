// SPDX-License-Identifier: Apache-2.0
#include "ebpfctl/command.h"
#include "tool.h"

#include <gtest/gtest.h>

namespace ebpfd::ctl {
namespace {

TEST(Completion, KnowsEveryCommandInEveryShell)
{
    for (const char* shell : {"bash", "zsh", "fish"}) {
        Tool tool;
        ASSERT_EQ(tool.run({"completion", shell}), Exit::ok);
        for (const Command& command : commands()) {
            std::string group = command.group;
            std::string path = "ebpfctl " + (group.empty() ? "" : group + " ") + command.name;
            EXPECT_NE(tool.out.find(path + "\""), std::string::npos) << path;
        }
    }
}

TEST(Completion, OffersSubcommandsAndOptions)
{
    Tool tool;
    tool.run({"completion", "bash"});
    EXPECT_NE(tool.out.find(
                  R"("ebpfctl stats") candidates="pods rules reasons health drops loss programs)"),
              std::string::npos)
        << tool.out;
    EXPECT_NE(tool.out.find("--from --to --port --exit-code"), std::string::npos);
}

} // namespace
} // namespace ebpfd::ctl
