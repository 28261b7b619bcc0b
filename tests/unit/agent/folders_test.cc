// SPDX-License-Identifier: Apache-2.0
#include "folders.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>

namespace ebpfd {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

const std::string policy = "apiVersion: networking.k8s.io/v1\n"
                           "kind: NetworkPolicy\n"
                           "metadata: {name: NAME}\n"
                           "spec: {podSelector: {}}\n";

class FoldersTest : public testing::Test {
protected:
    FoldersTest()
    {
        std::string name = (fs::temp_directory_path() / "ebpfd-folders-XXXXXX").string();
        dir_ = mkdtemp(name.data());
        fs::create_directory(dir_ + "/p");
        fs::create_directory(dir_ + "/i");
    }
    ~FoldersTest() override { fs::remove_all(dir_); }

    Folders watch()
    {
        auto folders = Folders::watch({{dir_ + "/p"}, true}, {{dir_ + "/i"}, true}, texts());
        EXPECT_TRUE(folders) << folders.error().message;
        folders->rescan();
        return std::move(*folders);
    }
    ValidTexts texts() const
    {
        auto texts = ValidTexts::open(dir_ + "/valid");
        EXPECT_TRUE(texts) << texts.error().message;
        return std::move(*texts);
    }
    // An agent that saw what lies there, had time to copy it, and ended.
    void run_once() { watch().texts().write_all(); }
    size_t copies() const
    {
        return static_cast<size_t>(
            std::distance(fs::directory_iterator(dir_ + "/valid"), fs::directory_iterator()));
    }
    void write_policy(const std::string& path, std::string name)
    {
        std::string text = policy;
        text.replace(text.find("NAME"), 4, name);
        std::ofstream(dir_ + "/" + path) << text;
    }
    static std::vector<std::string> names(const Folders& folders)
    {
        std::vector<std::string> out;
        for (const auto& object : folders.in_force().policies)
            out.push_back(object->name);
        return out;
    }
    // Takes in what comes until the condition holds.
    template <class Condition> static bool eventually(Folders& folders, Condition&& condition)
    {
        const auto end = std::chrono::steady_clock::now() + 5s;
        while (!condition() && std::chrono::steady_clock::now() < end) {
            std::vector<pollfd> fds;
            for (const int fd : folders.fds())
                fds.push_back({.fd = fd, .events = POLLIN, .revents = 0});
            poll(fds.data(), fds.size(), 100);
            folders.collect();
        }
        return condition();
    }

    std::string dir_;
};

using Names = std::vector<std::string>;

TEST_F(FoldersTest, FilesComeAndGo)
{
    write_policy("p/a.yaml", "one");
    Folders folders = watch();
    EXPECT_EQ(names(folders), Names{"one"});
    write_policy("p/b.yaml", "two");
    EXPECT_TRUE(eventually(folders, [&] { return names(folders) == Names{"one", "two"}; }));
    fs::remove(dir_ + "/p/a.yaml");
    EXPECT_TRUE(eventually(folders, [&] { return names(folders) == Names{"two"}; }));
}

TEST_F(FoldersTest, FolderThatVanishesLeavesItsPoliciesInForce)
{
    write_policy("p/a.yaml", "one");
    write_policy("p/b.yaml", "two");
    Folders folders = watch();
    fs::rename(dir_ + "/p", dir_ + "/away");
    EXPECT_TRUE(eventually(folders, [&] { return !folders.views()[0].error.empty(); }));
    EXPECT_FALSE(folders.views()[0].tolerated);
    folders.rescan();
    EXPECT_EQ(names(folders), (Names{"one", "two"}));
    // It comes back without one of them.
    fs::remove(dir_ + "/away/a.yaml");
    fs::rename(dir_ + "/away", dir_ + "/p");
    EXPECT_TRUE(eventually(folders, [&] { return names(folders) == Names{"two"}; }));
    EXPECT_EQ(folders.views()[0].error, "");
}

TEST_F(FoldersTest, BrokenFileIsAnErrorAndStays)
{
    write_policy("p/a.yaml", "one");
    Folders folders = watch();
    std::ofstream(dir_ + "/p/a.yaml") << "kind: [";
    EXPECT_TRUE(eventually(folders, [&] { return !folders.file_errors().empty(); }));
    EXPECT_EQ(folders.file_errors()[0].origin.file, dir_ + "/p/a.yaml");
    EXPECT_EQ(names(folders), Names{"one"});
}

TEST_F(FoldersTest, NamedFolderMustBeThereAtTheStart)
{
    const auto missing = Folders::watch({{dir_ + "/none"}, true}, {{dir_ + "/i"}, true}, texts());
    ASSERT_FALSE(missing);
    EXPECT_NE(missing.error().message.find(dir_ + "/none does not exist"), std::string::npos);
    std::ofstream(dir_ + "/file");
    EXPECT_FALSE(Folders::watch({{dir_ + "/file"}, true}, {{dir_ + "/i"}, true}, texts()));
}

TEST_F(FoldersTest, DefaultFolderMayComeLater)
{
    auto folders = Folders::watch({{dir_ + "/later"}, false}, {{dir_ + "/i"}, true}, texts());
    ASSERT_TRUE(folders) << folders.error().message;
    folders->rescan();
    EXPECT_TRUE(folders->views()[0].tolerated);
    EXPECT_NE(folders->views()[0].error, "");
    fs::create_directory(dir_ + "/later");
    write_policy("later/a.yaml", "one");
    EXPECT_TRUE(eventually(*folders, [&] { return names(*folders) == Names{"one"}; }));
}

TEST_F(FoldersTest, FileBrokenAtTheStartSaysWhatItLastValidlySaid)
{
    write_policy("p/a.yaml", "one");
    run_once();
    std::ofstream(dir_ + "/p/a.yaml") << "kind: [";
    Folders folders = watch();
    EXPECT_EQ(names(folders), Names{"one"});
    ASSERT_EQ(folders.file_errors().size(), 1U);
    EXPECT_EQ(folders.file_errors()[0].origin.file, dir_ + "/p/a.yaml");
    // The copy is good for the start after that, too.
    folders.texts().write_all();
    EXPECT_EQ(names(watch()), Names{"one"});
    write_policy("p/a.yaml", "two");
    EXPECT_EQ(names(watch()), Names{"two"});
}

TEST_F(FoldersTest, InventoryBrokenAtTheStartStaysToo)
{
    const std::string pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\n";
    std::ofstream(dir_ + "/i/pods.json") << "{";
    std::ofstream(dir_ + "/i/pods.yaml") << pod;
    run_once();
    std::ofstream(dir_ + "/i/pods.yaml", std::ios::app) << "spec: [";
    const Folders folders = watch();
    ASSERT_EQ(folders.in_force().pods.size(), 1U);
    EXPECT_EQ(folders.file_errors().size(), 2U);
}

TEST_F(FoldersTest, UnreadableFileAtTheStartStaysToo)
{
    write_policy("p/a.yaml", "one");
    run_once();
    fs::remove(dir_ + "/p/a.yaml");
    ASSERT_EQ(mkfifo((dir_ + "/p/a.yaml").c_str(), 0600), 0);
    const Folders folders = watch();
    EXPECT_EQ(names(folders), Names{"one"});
    EXPECT_EQ(folders.file_errors().size(), 1U);
}

TEST_F(FoldersTest, FolderAwayAtTheStartLeavesItsPoliciesInForce)
{
    for (const bool named : {true, false}) {
        write_policy("p/a.yaml", "one");
        run_once();
        fs::rename(dir_ + "/p", dir_ + "/away");
        auto folders = Folders::watch({{dir_ + "/p/"}, named}, {{dir_ + "/i"}, true}, texts());
        ASSERT_TRUE(folders) << folders.error().message;
        folders->rescan();
        EXPECT_EQ(names(*folders), Names{"one"});
        EXPECT_NE(folders->views()[0].error, "");
        EXPECT_FALSE(folders->views()[0].tolerated);
        // It comes back without it.
        fs::remove(dir_ + "/away/a.yaml");
        fs::rename(dir_ + "/away", dir_ + "/p");
        EXPECT_TRUE(eventually(*folders, [&] { return names(*folders).empty(); }));
        EXPECT_EQ(copies(), 0U);
    }
}

TEST_F(FoldersTest, FileThatIsGoneAtTheStartIsGone)
{
    write_policy("p/a.yaml", "one");
    run_once();
    fs::remove(dir_ + "/p/a.yaml");
    EXPECT_EQ(names(watch()), Names{});
    EXPECT_EQ(copies(), 0U);
    // One of that name that is broken says nothing then.
    std::ofstream(dir_ + "/p/a.yaml") << "kind: [";
    EXPECT_EQ(names(watch()), Names{});
}

TEST_F(FoldersTest, CopyOfAFileThatGoesGoesWithIt)
{
    write_policy("p/a.yaml", "one");
    write_policy("p/b.yaml", "two");
    Folders folders = watch();
    folders.texts().write_all();
    EXPECT_EQ(copies(), 2U);
    fs::remove(dir_ + "/p/a.yaml");
    EXPECT_TRUE(eventually(folders, [&] { return names(folders) == Names{"two"}; }));
    EXPECT_EQ(copies(), 1U);
}

TEST_F(FoldersTest, FolderThatIsNotNamedAnyMoreSaysNothing)
{
    write_policy("p/a.yaml", "one");
    run_once();
    fs::create_directory(dir_ + "/other");
    ASSERT_TRUE(Folders::watch({{dir_ + "/other"}, true}, {{dir_ + "/i"}, true}, texts()));
    std::ofstream(dir_ + "/p/a.yaml") << "kind: [";
    EXPECT_EQ(names(watch()), Names{});
}

TEST_F(FoldersTest, OneFolderMayHoldBothKinds)
{
    write_policy("p/a.yaml", "one");
    std::ofstream(dir_ + "/p/a.yaml", std::ios::app)
        << "---\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\n";
    std::ofstream(dir_ + "/p/b.yaml") << "kind: [";
    auto folders = Folders::watch({{dir_ + "/p"}, true}, {{dir_ + "/p"}, true}, texts());
    ASSERT_TRUE(folders) << folders.error().message;
    folders->rescan();
    EXPECT_EQ(names(*folders), Names{"one"});
    EXPECT_EQ(folders->in_force().pods.size(), 1U);
    EXPECT_EQ(folders->file_errors().size(), 1U);
}

TEST_F(FoldersTest, TenThousandFilesAreInForceAndOneThatBreaksIsNamed)
{
    constexpr size_t files = 10'000;
    for (size_t i = 0; i < files; ++i)
        write_policy("p/" + std::to_string(i) + ".yaml", "policy-" + std::to_string(i));
    Folders folders = watch();
    EXPECT_EQ(names(folders).size(), files);
    std::ofstream(dir_ + "/p/77.yaml") << "kind: [";
    EXPECT_TRUE(eventually(folders, [&] { return !folders.file_errors().empty(); }));
    ASSERT_EQ(folders.file_errors().size(), 1U);
    EXPECT_EQ(folders.file_errors()[0].origin.file, dir_ + "/p/77.yaml");
    EXPECT_EQ(names(folders).size(), files);
}

} // namespace
} // namespace ebpfd
