// SPDX-License-Identifier: Apache-2.0
#include "system/world.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fstream>
#include <gmock/gmock.h>
#include <sys/stat.h>

namespace system_test {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;

// What lies in the folders, and when it takes effect. One wiring and family are enough.
class Files : public OnRoutedPods {
protected:
    void SetUp() override
    {
        ASSERT_NO_FATAL_FAILURE(OnRoutedPods::SetUp());
        enforce({});
    }
    std::filesystem::path file(const std::string& name) { return agent().policies() / name; }
    // Waits, without asking for it, until ebpfd has seen (or forgotten) the policy.
    bool knows(const std::string& policy, bool known = true)
    {
        return lab::eventually([&] {
            return (agent().ctl({"policy", "get", policy}).exit == exit_ok) == known;
        });
    }
    static std::string allow(const std::string& name, int port)
    {
        return policy("shop/" + name, "{podSelector: {matchLabels: {app: db}}, ingress: "
                                      "[{ports: [{port: " +
                                          std::to_string(port) + "}]}]}")
            .text;
    }
};

TEST_F(Files, BrokenFileIsNamedAndItsLastGoodVersionStays)
{
    replace_file(file("db.yaml"), allow("db", 80));
    ASSERT_EQ(agent().settle().exit, exit_ok);
    const std::vector<Attempt> as_before{yes("web", "db", 80), no("web", "db", 8080)};
    EXPECT_TRUE(traffic(as_before));
    replace_file(file("db.yaml"), allow("db", 8080) + "  ingres: []\n: : }\n");
    const auto settled = agent().settle();
    EXPECT_EQ(settled.exit, exit_degraded);
    EXPECT_THAT(settled.out + settled.err, ContainsRegex("db\\.yaml:[0-9]+"));
    EXPECT_THAT(agent().process().err(), ContainsRegex("db\\.yaml:[0-9]+"));
    EXPECT_TRUE(traffic(as_before));
    replace_file(file("db.yaml"), allow("db", 8080));
    EXPECT_EQ(agent().settle().exit, exit_ok);
    EXPECT_TRUE(traffic({no("web", "db", 80), yes("web", "db", 8080)}));
}

TEST_F(Files, UnknownFieldOfASpecIsRefusedWithItsLine)
{
    replace_file(file("typo.yaml"), "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
                                    "metadata: {name: typo, namespace: shop}\nspec:\n"
                                    "  podSelector: {}\n  ingres: []\n");
    const auto settled = agent().settle();
    EXPECT_EQ(settled.exit, exit_degraded);
    EXPECT_THAT(settled.out + settled.err, HasSubstr("typo.yaml:6"));
    EXPECT_THAT(settled.out + settled.err, HasSubstr("ingres"));
    EXPECT_TRUE(traffic({yes("api", "db", 80)}));
}

TEST_F(Files, OneBadFileDoesNotKeepOthersBack)
{
    replace_file(file("bad.yaml"), "kind: [");
    replace_file(file("good.json"),
                 R"({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
                     "metadata": {"name": "good", "namespace": "shop"},
                     "spec": {"podSelector": {}}})");
    EXPECT_EQ(agent().settle().exit, exit_degraded);
    EXPECT_TRUE(traffic({no("api", "db", 80)}));
}

TEST_F(Files, PoliciesThatDoNotFitLeaveThoseInForceForPodsThatComeMeanwhile)
{
    replace_file(file("db.yaml"), allow("db", 80));
    ASSERT_EQ(agent().settle().exit, exit_ok);
    std::string rules;
    for (int port = 1; port <= 600; ++port)
        rules += fmt::format("{{ports: [{{port: {}}}]}}, ", port * 2);
    replace_file(file("huge.yaml"),
                 policy("shop/huge", "{podSelector: {}, ingress: [" + rules + "]}").text);
    const auto refused = agent().settle();
    EXPECT_EQ(refused.exit, exit_degraded);
    EXPECT_THAT(refused.out + refused.err, HasSubstr("512"));
    auto inventory = Inventory::of(world_->node());
    inventory.pod("web").labels = "{app: db}"; // as good as a new pod
    world_->describe(inventory);
    EXPECT_EQ(agent().settle().exit, exit_degraded);
    EXPECT_TRUE(traffic({yes("api", "web", 80), no("api", "web", 8080), no("api", "db", 8080)}));
    std::filesystem::remove(file("huge.yaml"));
    EXPECT_EQ(agent().settle().exit, exit_ok);
}

TEST_F(Files, PodsThatComeBeforeARestartWithPoliciesThatDoNotFitAreClosed)
{
    auto inventory = Inventory::of(world_->node());
    inventory.remove("web");
    world_->describe(inventory);
    replace_file(file("db.yaml"), allow("db", 80));
    ASSERT_EQ(agent().settle().exit, exit_ok);
    EXPECT_TRUE(traffic({yes("api", "web", 80)})); // nobody knows it
    EXPECT_EQ(agent().stop(), exit_ok);
    std::string rules;
    for (int port = 1; port <= 600; ++port)
        rules += fmt::format("{{ports: [{{port: {}}}]}}, ", port * 2);
    replace_file(file("huge.yaml"),
                 policy("shop/huge", "{podSelector: {}, ingress: [" + rules + "]}").text);
    world_->describe(Inventory::of(world_->node()));
    (void)agent().start();
    EXPECT_EQ(agent().settle().exit, exit_degraded);
    EXPECT_TRUE(traffic({no("api", "web", 80), yes("api", "db", 80), no("api", "db", 8080)}));
    std::filesystem::remove(file("huge.yaml"));
    EXPECT_EQ(agent().settle().exit, exit_ok);
    EXPECT_TRUE(traffic({yes("api", "web", 80), no("api", "db", 8080)}));
}

TEST_F(Files, PodsThatComeWithAnInventoryThatDoesNotFitAreClosed)
{
    // Each pod's own number for the port is a rule of its own.
    replace_file(file("out.yaml"),
                 policy("shop/out",
                        "{podSelector: {matchLabels: {app: db}}, "
                        "policyTypes: [Egress], egress: [{to: [{namespaceSelector: {}}], "
                        "ports: [{port: many}]}]}")
                     .text);
    auto inventory = Inventory::of(world_->node());
    inventory.remove("web");
    world_->describe(inventory);
    ASSERT_EQ(agent().settle().exit, exit_ok);
    inventory = Inventory::of(world_->node());
    std::string crowd;
    for (int number = 0; number < 600; ++number)
        crowd += fmt::format("---\napiVersion: v1\nkind: Pod\nmetadata: {{name: c{0}, namespace: "
                             "far}}\nspec: {{containers: [{{ports: [{{name: many, containerPort: "
                             "{1}}}]}}]}}\nstatus: {{podIP: 10.9.{2}.{3}}}\n",
                             number, 1000 + number, number / 200, 1 + number % 200);
    inventory.add_object(crowd.substr(4)); // it writes the first mark itself
    world_->describe(inventory);
    const auto refused = agent().settle();
    EXPECT_EQ(refused.exit, exit_degraded);
    EXPECT_THAT(refused.out + refused.err, HasSubstr("512"));
    EXPECT_TRUE(traffic({no("api", "web", 80), yes("api", "db", 80)}));
    world_->describe(Inventory::of(world_->node()));
    EXPECT_EQ(agent().settle().exit, exit_ok);
    EXPECT_TRUE(traffic({yes("api", "web", 80)}));
}

TEST_F(Files, DryRunsThatDoNotFitKeepNothingFromBeingEnforced)
{
    std::string rules;
    for (int port = 1; port <= 600; ++port)
        rules += fmt::format("{{ports: [{{port: {}}}]}}, ", port * 2);
    std::string huge = policy("shop/huge", "{podSelector: {}, ingress: [" + rules + "]}").text;
    const std::string metadata = "metadata: {";
    huge.insert(huge.find(metadata) + metadata.size(), "annotations: {ebpfd.io/mode: dry-run}, ");
    replace_file(file("huge.yaml"), huge);
    replace_file(file("db.yaml"), allow("db", 80));
    auto inventory = Inventory::of(world_->node());
    inventory.pod("web").labels = "{app: other}"; // as good as a new pod
    world_->describe(inventory);
    const auto refused = agent().settle();
    EXPECT_EQ(refused.exit, exit_degraded);
    EXPECT_THAT(refused.out + refused.err, HasSubstr("512"));
    EXPECT_THAT(refused.out + refused.err, HasSubstr("dry runs are left out"));
    EXPECT_TRUE(traffic({yes("api", "db", 80), no("api", "db", 8080), yes("api", "web", 8080)}));
}

TEST_F(Files, RenamedFilesAreReadAndDeletedOnesForgotten)
{
    replace_file(file("db.yaml"), allow("db", 80));
    EXPECT_TRUE(knows("shop/db"));
    EXPECT_TRUE(traffic({no("web", "db", 8080)}));
    std::filesystem::remove(file("db.yaml"));
    EXPECT_TRUE(knows("shop/db", false));
    EXPECT_TRUE(traffic({yes("web", "db", 8080)}));
}

TEST_F(Files, FileWrittenInPlaceIsReadWhenItsWriterIsDone)
{
    const std::string text = allow("slow", 80);
    {
        std::ofstream writer(file("slow.yaml"));
        writer << text.substr(0, text.size() / 2) << std::flush;
        writer << text.substr(text.size() / 2);
    }
    EXPECT_TRUE(knows("shop/slow"));
    EXPECT_EQ(agent().settle().exit, exit_ok);
}

TEST_F(Files, ConfigMapSwitchesAllItsFilesAtOnce)
{
    const auto fill = [&](const std::string& version, const std::string& suffix) {
        std::filesystem::create_directory(file(version));
        for (const std::string name : {"a", "b"})
            std::ofstream(file(version) / (name + ".yaml")) << allow(name + suffix, 80);
    };
    fill("..2024_1", "-one");
    std::filesystem::create_directory_symlink("..2024_1", file("..data"));
    for (const std::string name : {"a.yaml", "b.yaml"})
        std::filesystem::create_symlink("..data/" + name, file(name));
    EXPECT_TRUE(knows("shop/a-one") && knows("shop/b-one"));
    fill("..2024_2", "-two");
    std::filesystem::create_directory_symlink("..2024_2", file("..data_tmp"));
    std::filesystem::rename(file("..data_tmp"), file("..data"));
    EXPECT_TRUE(knows("shop/a-two"));
    EXPECT_EQ(agent().ctl({"policy", "get", "shop/b-two"}).exit, exit_ok) << "at the same time";
    EXPECT_EQ(agent().ctl({"policy", "get", "shop/a-one"}).exit, exit_not_found);
}

TEST_F(Files, WhatIsNoPolicyFileIsLeftAlone)
{
    std::filesystem::create_directory(file("folder.yaml"));
    replace_file(file(".hidden.yaml"), "kind: [");
    replace_file(file("notes.txt"), "kind: [");
    replace_file(file("empty.yaml"), "# nothing yet\n");
    replace_file(file("other.yaml"), "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n");
    const auto settled = agent().settle();
    EXPECT_EQ(settled.exit, exit_ok) << settled.out << settled.err;
}

TEST_F(Files, SecondFileWinsOverADuplicateWithAWarning)
{
    replace_file(file("1.yaml"), allow("db", 80));
    replace_file(file("2.yaml"), allow("db", 8080));
    EXPECT_EQ(agent().settle().exit, exit_ok);
    EXPECT_TRUE(traffic({no("web", "db", 80), yes("web", "db", 8080)}));
    const std::string status = agent().ask({"status", "-o", "json"});
    EXPECT_THAT(status, HasSubstr("1.yaml"));
    EXPECT_THAT(status, HasSubstr("2.yaml"));
}

TEST_F(Files, FolderThatWentAwayIsReadWhenItIsBack)
{
    const auto aside = agent().root() / "aside";
    std::filesystem::rename(agent().policies(), aside);
    replace_file(aside / "late.yaml", allow("late", 80));
    std::filesystem::rename(aside, agent().policies());
    EXPECT_TRUE(knows("shop/late"));
}

TEST_F(Files, HangupReadsTheFoldersAgain)
{
    const auto revision = [this] {
        const std::string status = agent().ask({"status", "-o", "json"});
        const size_t at = status.find("\"revision\":");
        return at == std::string::npos ? 0 : std::stoul(status.substr(at + 11));
    };
    const auto before = revision();
    ASSERT_GT(before, 0U);
    agent().process().signal(SIGHUP);
    EXPECT_TRUE(lab::eventually([&] { return revision() > before; }));
}

// Files that cannot be used, in either folder; whatever they are, ebpfd goes on.
struct BadFile {
    const char* name;
    void (*make)(const std::filesystem::path& path);
};

class Unusable : public Files, public testing::WithParamInterface<BadFile> {
protected:
    void refuses(const std::filesystem::path& folder)
    {
        const auto path = folder / "trouble.yaml";
        replace_file(file("db.yaml"), allow("db", 80));
        GetParam().make(path);
        const auto settled = agent().settle();
        EXPECT_EQ(settled.exit, exit_degraded) << settled.out << settled.err;
        EXPECT_THAT(settled.out + settled.err, HasSubstr("trouble.yaml"));
        EXPECT_TRUE(traffic({yes("web", "db", 80), no("web", "db", 8080)}));
        std::filesystem::remove(path);
        EXPECT_EQ(agent().settle().exit, exit_ok);
    }
};

TEST_P(Unusable, IsRefusedAmongPolicies)
{
    refuses(agent().policies());
}

TEST_P(Unusable, IsRefusedInTheInventory)
{
    refuses(agent().inventory());
}

const BadFile bad_files[] = {
    {"Malformed", [](const auto& path) { std::ofstream(path) << "a: [1,\nb: }\n"; }},
    {"WrongTypes",
     [](const auto& path) {
         std::ofstream(path) << "apiVersion: v1\nkind: Pod\nmetadata: {name: [x]}\n---\n"
                                "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
                                "metadata: {name: y}\nspec: {podSelector: 7}\n";
     }},
    {"Binary",
     [](const auto& path) {
         std::ofstream out(path, std::ios::binary);
         for (int i = 0; i < 65536; ++i)
             out.put(static_cast<char>(i * 7919 >> 3));
     }},
    {"HundredMegabytes",
     [](const auto& path) {
         const std::string block(1 << 20, '#');
         std::ofstream out(path);
         for (int i = 0; i < 100; ++i)
             out << block << "\n";
     }},
    {"DeepNesting", [](const auto& path) { std::ofstream(path) << std::string(200000, '['); }},
    {"DanglingLink", [](const auto& path) { std::filesystem::create_symlink("nowhere", path); }},
    {"LinkToItself",
     [](const auto& path) { std::filesystem::create_symlink(path.filename(), path); }},
    {"Pipe", [](const auto& path) { ASSERT_EQ(mkfifo(path.c_str(), 0600), 0); }},
};
INSTANTIATE_TEST_SUITE_P(File, Unusable, testing::ValuesIn(bad_files),
                         [](const auto& row) { return std::string(row.param.name); });

} // namespace
} // namespace system_test
