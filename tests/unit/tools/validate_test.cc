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

TEST_F(Validate, FoldersStandForTheFilesThatTheAgentWouldRead)
{
    const std::string bad = write("b.yml", GOOD + std::string("  ingres: []\n"));
    const std::string good = write("a.yaml", GOOD);
    const std::string json = write("c.json", "{}");
    write(".hidden.yaml", "kind: [");
    write("notes.txt", "kind: [");
    std::filesystem::create_directories(folder + "/more.yaml");
    write("more.yaml/deep.yaml", "kind: [");
    const std::string astray = folder + "/d.yaml";
    std::filesystem::create_symlink("nowhere", astray);
    EXPECT_EQ(tool.run({"policy", "validate", folder}), Exit::error);
    EXPECT_EQ(tool.out, good + ": valid (1 policy)\n" + bad + ": invalid\n" + json + ": invalid\n" +
                            astray + ": invalid\n");
    EXPECT_NE(tool.err.find(bad + ":6:3: unknown field"), std::string::npos) << tool.err;
    EXPECT_EQ(tool.run({"policy", "validate", "--strict", good, folder + "/more.yaml"}),
              Exit::error);
}

TEST_F(Validate, AFolderWithoutFilesIsFineAndSaysSo)
{
    EXPECT_EQ(tool.run({"policy", "validate", folder}), Exit::ok);
    EXPECT_EQ(tool.err, folder + ": no .yaml, .yml or .json file lies there\n");
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

const char* const SELECTS_DB = R"(apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  ingress:
  - from: [{podSelector: {}}]
  - from: [{podSelector: {matchLabels: {app: web}}}]
)";

std::vector<std::string> with(std::vector<std::string> arguments,
                              const std::vector<std::string>& more)
{
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
}

std::string pod(const std::string& name)
{
    return "apiVersion: v1\nkind: Pod\nmetadata: {name: " + name +
           ", namespace: shop, labels: {app: " + name + "}}\nstatus: {podIP: 10.0.0." +
           std::to_string(name.size()) + "}\n";
}

TEST_F(Validate, StrictSaysWhatIsNotNeededAndPasses)
{
    const std::string file = write("a.yaml", SELECTS_DB);
    EXPECT_EQ(tool.run({"policy", "validate", "--strict", file}), Exit::ok) << tool.err;
    EXPECT_EQ(tool.out, file + ": valid (1 policy, 1 found)\n");
    EXPECT_EQ(tool.err, file +
                            ":8: note: shop/db ingress[1]: not needed: shadowed by shop/db "
                            "ingress[0] (" +
                            file + ":7)\n");
}

TEST_F(Validate, StrictFailsByTheInventoryOfFoldersAndFiles)
{
    const std::string file = write("a.yaml", SELECTS_DB);
    std::filesystem::create_directory(folder + "/pods");
    write("pods/web.yaml", pod("web"));
    write("pods/.hidden.yaml", pod("db"));
    const std::vector<std::string> strict{"policy", "validate", "--strict", "--inventory",
                                          folder + "/pods"};
    EXPECT_EQ(tool.run(with(strict, {file})), Exit::error);
    EXPECT_NE(tool.err.find(file + ":7: warning: shop/db: selects no pod"), std::string::npos)
        << tool.err;

    const std::string db = write("db.yaml", pod("db"));
    EXPECT_EQ(tool.run(with(strict, {"--inventory", db, file})), Exit::ok) << tool.err;
}

TEST_F(Validate, ABadInventoryFails)
{
    const std::string file = write("a.yaml", SELECTS_DB);
    const std::string bad = write("bad.yaml", "kind: [");
    EXPECT_EQ(tool.run({"policy", "validate", "--strict", "--inventory", bad, file}), Exit::error);
    EXPECT_NE(tool.err.find(bad + ":1:"), std::string::npos) << tool.err;
    EXPECT_EQ(tool.run({"policy", "validate", "--inventory", bad, file}), Exit::usage);
}

TEST_F(Validate, JsonHasTheFindings)
{
    const std::string file = write("a.yaml", SELECTS_DB);
    const Json found = tool.json({"policy", "validate", "--strict", file})[0]["findings"];
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0]["level"], "note");
    EXPECT_EQ(found[0]["code"], "redundant");
    EXPECT_EQ(found[0]["rule"], "ingress[1]");
    EXPECT_EQ(found[0]["line"], 8);
}

} // namespace
} // namespace ebpfd::ctl
