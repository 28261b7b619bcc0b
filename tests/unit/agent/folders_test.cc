// SPDX-License-Identifier: Apache-2.0
#include "folders_case.h"

#include <sys/stat.h>

namespace ebpfd {
namespace {

namespace fs = std::filesystem;

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

TEST_F(FoldersTest, FolderThatIsMadeAgainWithAFileSaysThatTheOthersAreGone)
{
    write_policy("p/a.yaml", "one");
    Folders folders = watch();
    fs::remove_all(dir_ + "/p");
    const auto error = [&] { return folders.views()[0].error; };
    ASSERT_TRUE(eventually(folders, [&] { return !error().empty(); }));
    EXPECT_NE(error().find("put a file there, an empty none.yaml will do"), std::string::npos)
        << error();
    EXPECT_EQ(names(folders), Names{"one"});
    fs::create_directory(dir_ + "/p");
    std::ofstream(dir_ + "/p/none.yaml");
    EXPECT_TRUE(eventually(folders, [&] { return names(folders).empty(); }));
    EXPECT_EQ(error(), "");
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
