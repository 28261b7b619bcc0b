// SPDX-License-Identifier: Apache-2.0
#include "folders.h"

#include <algorithm>
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
    void run_once()
    {
        Folders folders = watch();
        folders.remember();
        folders.texts().write_all();
    }
    ptrdiff_t copies() const
    {
        return std::ranges::count_if(fs::directory_iterator(dir_ + "/valid"), [](const auto& file) {
            return !file.path().filename().string().starts_with('.');
        });
    }
    // An empty folder where the one with the files was: what a missing mount leaves.
    void leave_mount_point()
    {
        fs::rename(dir_ + "/p", dir_ + "/away");
        fs::create_directory(dir_ + "/p");
    }
    void mount_again()
    {
        fs::remove(dir_ + "/p");
        fs::rename(dir_ + "/away", dir_ + "/p");
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

TEST_F(FoldersTest, NamedFolderMayBeAwayWhileAnEarlierPolicyIsInForce)
{
    auto folders = Folders::watch({{dir_ + "/none"}, true}, {{dir_ + "/i"}, true}, texts(), true);
    ASSERT_TRUE(folders) << folders.error().message;
    folders->rescan();
    EXPECT_FALSE(folders->views()[0].tolerated);
    EXPECT_NE(folders->doubt(FolderKind::policy).find(dir_ + "/none"), std::string::npos);
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
        EXPECT_EQ(copies(), 0);
    }
}

TEST_F(FoldersTest, MountPointAtTheStartLeavesPoliciesInForceUntilItsMountIsBack)
{
    write_policy("p/a.yaml", "one");
    write_policy("p/b.yaml", "two");
    run_once();
    leave_mount_point();
    Folders folders = watch();
    EXPECT_EQ(names(folders), (Names{"one", "two"}));
    EXPECT_NE(folders.views()[0].error.find("is a mount missing?"), std::string::npos);
    EXPECT_FALSE(folders.views()[0].tolerated);
    folders.remember();
    folders.texts().write_all();
    EXPECT_EQ(names(watch()), (Names{"one", "two"})) << "a start later, too";
    fs::remove(dir_ + "/away/a.yaml");
    mount_again();
    EXPECT_TRUE(eventually(folders, [&] { return names(folders) == Names{"two"}; }));
    EXPECT_EQ(folders.views()[0].error, "");
}

TEST_F(FoldersTest, MountPointThatAppearsLeavesPoliciesInForce)
{
    write_policy("p/a.yaml", "one");
    Folders folders = watch();
    leave_mount_point();
    EXPECT_TRUE(eventually(folders, [&] { return !folders.views()[0].error.empty(); }));
    folders.rescan();
    EXPECT_EQ(names(folders), Names{"one"});
    EXPECT_NE(folders.views()[0].error.find("is a mount missing?"), std::string::npos);
}

TEST_F(FoldersTest, FileInAMountPointSaysThatTheOthersAreMeantToBeGone)
{
    write_policy("p/a.yaml", "one");
    run_once();
    leave_mount_point();
    Folders folders = watch();
    EXPECT_EQ(names(folders), Names{"one"});
    std::ofstream(dir_ + "/p/none.yaml");
    EXPECT_TRUE(eventually(folders, [&] { return names(folders).empty(); }));
    EXPECT_EQ(folders.views()[0].error, "");
    EXPECT_EQ(copies(), 0);
}

TEST_F(FoldersTest, FilesThatComeBackOneByOneAreOneChange)
{
    write_policy("p/a.yaml", "one");
    write_policy("p/b.yaml", "two");
    Folders folders = watch();
    leave_mount_point();
    EXPECT_TRUE(eventually(folders, [&] { return !folders.views()[0].error.empty(); }));
    write_policy("p/a.yaml", "new-one");
    bool mixed = false;
    EXPECT_TRUE(eventually(folders, [&] {
        if (folders.views()[0].error.empty() && !fs::exists(dir_ + "/p/b.yaml"))
            write_policy("p/b.yaml", "new-two"); // a moment after the first one was seen
        mixed = mixed || (names(folders) != Names{"one", "two"} &&
                          names(folders) != Names{"new-one", "new-two"});
        return names(folders) == Names{"new-one", "new-two"};
    }));
    EXPECT_FALSE(mixed);
}

TEST_F(FoldersTest, EmptyFolderOfWhichTheCopiesSayNothingIsNotTheOneThatHeldThem)
{
    write_policy("p/a.yaml", "one");
    run_once();
    fs::remove(dir_ + "/valid/.folders");
    fs::remove(dir_ + "/p/a.yaml");
    EXPECT_EQ(names(watch()), Names{"one"});
}

TEST_F(FoldersTest, EmptyFoldersAreInDoubtUntilTheyWereInForce)
{
    EXPECT_NE(watch().doubt(FolderKind::policy).find(dir_ + "/p"), std::string::npos);
    EXPECT_NE(watch().doubt(FolderKind::inventory).find(dir_ + "/i"), std::string::npos);
    std::ofstream(dir_ + "/i/none.yaml");
    EXPECT_EQ(watch().doubt(FolderKind::inventory), "");
    run_once();
    EXPECT_EQ(watch().doubt(FolderKind::policy), "");
    leave_mount_point();
    EXPECT_EQ(watch().doubt(FolderKind::policy), "") << "it held nothing";
}

TEST_F(FoldersTest, EachFolderThatIsEmptyOrCannotBeReadIsInDoubt)
{
    fs::create_directory(dir_ + "/other");
    write_policy("p/a.yaml", "one");
    const auto doubt = [this](const std::string& other) {
        auto folders =
            Folders::watch({{dir_ + "/p", other}, false}, {{dir_ + "/i"}, true}, texts());
        folders->rescan();
        return folders->doubt(FolderKind::policy);
    };
    EXPECT_NE(doubt(dir_ + "/other").find("there is nothing in it"), std::string::npos);
    EXPECT_EQ(doubt(dir_ + "/later"), "") << "a default one";
    std::ofstream(dir_ + "/file");
    EXPECT_NE(doubt(dir_ + "/file").find("cannot be read"), std::string::npos);
}

TEST_F(FoldersTest, FoldersAreNotKnownWhileCopiesAreMissing)
{
    run_once();
    for (int i = 0; i < 100; ++i)
        write_policy("p/" + std::to_string(i) + ".yaml", "policy-" + std::to_string(i));
    Folders folders = watch();
    folders.texts().write_few();
    folders.remember();
    EXPECT_TRUE(texts().places().empty());
    folders.texts().write_all();
    EXPECT_EQ(texts().places().size(), 2U);
}

TEST_F(FoldersTest, FileThatIsGoneAtTheStartIsGone)
{
    write_policy("p/a.yaml", "one");
    run_once();
    fs::remove(dir_ + "/p/a.yaml");
    EXPECT_EQ(names(watch()), Names{});
    EXPECT_EQ(copies(), 0);
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
    EXPECT_EQ(copies(), 2);
    fs::remove(dir_ + "/p/a.yaml");
    EXPECT_TRUE(eventually(folders, [&] { return names(folders) == Names{"two"}; }));
    EXPECT_EQ(copies(), 1);
}

TEST_F(FoldersTest, FolderThatIsNotNamedAnyMoreSaysNothing)
{
    write_policy("p/a.yaml", "one");
    run_once();
    fs::create_directory(dir_ + "/other");
    std::ofstream(dir_ + "/p/a.yaml") << "kind: [";
    auto elsewhere = Folders::watch({{dir_ + "/other"}, true}, {{dir_ + "/i"}, true}, texts());
    ASSERT_TRUE(elsewhere);
    EXPECT_EQ(names(watch()), Names{"one"}) << "it was not in force, and may have been a slip";
    elsewhere->rescan();
    elsewhere->remember();
    EXPECT_EQ(names(watch()), Names{});
}

TEST_F(FoldersTest, WhatABrokenFileSaidIsInDoubtWhereNothingIsKnownOfItsFolder)
{
    write_policy("p/a.yaml", "one");
    run_once();
    std::ofstream(dir_ + "/p/new.yaml") << "kind: [";
    EXPECT_EQ(watch().doubt(FolderKind::policy), "") << "it was never valid";
    fs::remove_all(dir_ + "/valid");
    EXPECT_NE(watch().doubt(FolderKind::policy).find("new.yaml"), std::string::npos);
    fs::remove(dir_ + "/p/new.yaml");
    EXPECT_EQ(watch().doubt(FolderKind::policy), "");
}

TEST_F(FoldersTest, DamagedCopiesLeaveAFolderThatIsAwayInDoubt)
{
    write_policy("p/a.yaml", "one");
    for (const bool head : {true, false}) {
        SCOPED_TRACE(head);
        run_once();
        for (const auto& file : fs::directory_iterator(dir_ + "/valid"))
            if (!file.path().filename().string().starts_with('.'))
                std::ofstream(file.path(), head ? std::ios::trunc : std::ios::app) << "x";
        leave_mount_point();
        EXPECT_NE(watch().doubt(FolderKind::policy), "");
        mount_again();
    }
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
