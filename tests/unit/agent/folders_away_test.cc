// SPDX-License-Identifier: Apache-2.0
#include "folders_case.h"

namespace ebpfd {
namespace {

namespace fs = std::filesystem;

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

} // namespace
} // namespace ebpfd
