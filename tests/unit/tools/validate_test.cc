// SPDX-License-Identifier: Apache-2.0
#include "tool.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

namespace ebpfd::ctl {
namespace {

struct Validate : testing::Test {
    std::string folder = testing::TempDir() + "ebpfctl-XXXXXX";
    Tool tool;

    Validate() { EXPECT_NE(mkdtemp(folder.data()), nullptr); }
    ~Validate() override { std::filesystem::remove_all(folder); }

    std::string write(const std::string& name, const std::string& text)
    {
        std::string path = folder + "/" + name;
        std::ofstream(path) << text;
        return path;
    }
};

const char* const GOOD = R"(apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db}
spec:
  podSelector: {}
)";

TEST_F(Validate, GoodFilesSayHowManyPolicies)
{
    std::string file = write("a.yaml", GOOD + std::string("---\n") + GOOD);
    EXPECT_EQ(tool.run({"policy", "validate", file}), Exit::ok);
    EXPECT_EQ(tool.out, file + ": valid (2 policies)\n");
    EXPECT_EQ(tool.err, "");
}

TEST_F(Validate, BadFilesSayWhereAndWhy)
{
    std::string bad = write("bad.yaml", GOOD + std::string("  ingres: []\n"));
    std::string good = write("good.yaml", GOOD);
    EXPECT_EQ(tool.run({"policy", "validate", bad, good}), Exit::error);
    EXPECT_NE(tool.err.find(bad + ":6:3: unknown field"), std::string::npos) << tool.err;
    EXPECT_EQ(tool.out, bad + ": invalid\n" + good + ": valid (1 policy)\n");
}

TEST_F(Validate, UnreadableFilesAreInvalid)
{
    EXPECT_EQ(tool.run({"policy", "validate", folder + "/none.yaml"}), Exit::error);
    EXPECT_NE(tool.err.find("none.yaml: "), std::string::npos) << tool.err;
}

TEST_F(Validate, OtherKindsAreNoted)
{
    std::string file = write("a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n");
    EXPECT_EQ(tool.run({"policy", "validate", file}), Exit::ok);
    EXPECT_EQ(tool.out, file + ": valid (0 policies)\n");
    EXPECT_NE(tool.err.find("ConfigMap"), std::string::npos);
}

TEST_F(Validate, JsonHasTheErrors)
{
    std::string bad = write("bad.yaml", "kind: [\n");
    tool.run({"policy", "validate", bad, "-o", "json"});
    Json row = Json::parse(tool.out)[0];
    EXPECT_EQ(row["valid"], false);
    EXPECT_GT(row["errors"][0]["line"], 0);
    EXPECT_NE(row["errors"][0]["reason"], "");
}

} // namespace
} // namespace ebpfd::ctl
