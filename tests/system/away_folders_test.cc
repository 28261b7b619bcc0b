// SPDX-License-Identifier: Apache-2.0
#include "system/volume.h"
#include "system/world.h"

#include <fstream>
#include <gmock/gmock.h>

namespace system_test {
namespace {

using testing::HasSubstr;

// Folders that are not there, or are not the real ones, when an agent starts.
class AwayFolders : public OnRoutedPods {
protected:
    void SetUp() override
    {
        ASSERT_NO_FATAL_FAILURE(OnRoutedPods::SetUp());
        enforce({});
    }
    // The next test has an agent and folders as ever.
    void TearDown() override
    {
        policies_.reset();
        inventory_.reset();
        (void)agent().stop();
        (void)agent().detach();
        std::filesystem::remove_all(agent().runtime());
        std::filesystem::create_directories(agent().policies());
    }
    void mount_policies() { policies_.emplace(agent().policies()); }
    void mount_inventory() { inventory_.emplace(agent().inventory()); }
    void enforce_one()
    {
        world_->describe(Inventory::of(world_->node()));
        enforce({db_allows(80)});
    }
    void start()
    {
        (void)agent().start();
        ASSERT_TRUE(agent().running()) << agent().process().err();
    }
    testing::AssertionResult as_before() { return db_has_open(80, 8080); }
    testing::AssertionResult open()
    {
        return traffic({yes("web", "db", 80), yes("web", "db", 8080)});
    }
    // ebpfctl status says so, and exits with 6.
    void expect_degraded(const std::string& word)
    {
        const auto settled = agent().settle();
        EXPECT_EQ(settled.exit, exit_degraded) << settled.out << settled.err;
        const auto status = agent().ctl({"status"});
        EXPECT_EQ(status.exit, exit_degraded);
        EXPECT_THAT(status.out + status.err, HasSubstr(word));
    }

    std::optional<Volume> policies_;
    std::optional<Volume> inventory_;
};

TEST_F(AwayFolders, VolumeThatIsMissingAtTheStartLeavesPolicyInForceUntilItIsBack)
{
    mount_policies();
    enforce_one();
    EXPECT_EQ(agent().stop(), exit_ok);
    policies_->unmount();
    start();
    expect_degraded("is a mount missing?");
    EXPECT_TRUE(as_before());
    // One that is mounted again and still empty is no word either.
    policies_->mount();
    expect_degraded("is a mount missing?");
    EXPECT_TRUE(as_before());
    replace_file(agent().policies() / "db.yaml", db_allows(8080).text);
    EXPECT_EQ(agent().settle().exit, exit_ok);
    EXPECT_TRUE(db_has_open(8080, 80));
}

TEST_F(AwayFolders, InventoryThatIsMissingAtTheStartLeavesPodsInForce)
{
    mount_inventory();
    enforce_one();
    agent().process().signal(SIGKILL);
    ASSERT_TRUE(lab::eventually([this] { return !agent().running(); }));
    inventory_->unmount();
    start();
    expect_degraded("is a mount missing?");
    EXPECT_TRUE(as_before());
}

TEST_F(AwayFolders, FolderThatIsMissingAtTheStartLeavesPolicyInForce)
{
    for (const bool known : {true, false}) { // what it held
        SCOPED_TRACE(known);
        enforce_one();
        EXPECT_EQ(agent().stop(), exit_ok);
        if (!known)
            std::filesystem::remove_all(agent().runtime());
        const auto aside = agent().root() / "aside";
        std::filesystem::rename(agent().policies(), aside);
        start();
        expect_degraded("No such file or directory");
        EXPECT_TRUE(as_before());
        std::filesystem::rename(aside, agent().policies());
        EXPECT_EQ(agent().settle().exit, exit_ok);
        EXPECT_TRUE(as_before());
    }
}

TEST_F(AwayFolders, AFileInItSaysThatTheOthersAreMeantToBeGone)
{
    mount_policies();
    enforce_one();
    EXPECT_EQ(agent().stop(), exit_ok);
    policies_->unmount();
    start();
    EXPECT_TRUE(as_before());
    std::ofstream(agent().policies() / "none.yaml");
    EXPECT_EQ(agent().settle().exit, exit_ok);
    EXPECT_TRUE(open());
}

TEST_F(AwayFolders, FilesDeletedMeanwhileAreGone)
{
    mount_policies();
    enforce_one();
    EXPECT_EQ(agent().stop(), exit_ok);
    std::filesystem::remove(agent().policies() / "shop-db.yaml");
    ASSERT_TRUE(std::filesystem::is_empty(agent().policies()));
    ASSERT_TRUE(agent().start());
    EXPECT_TRUE(open());
}

// The agent's own folder is lost too: nobody knows what the folders held, but the kernel.
TEST_F(AwayFolders, WhatWasPutInForceStaysWhereNothingElseIsKnown)
{
    mount_policies();
    mount_inventory();
    enforce_one();
    EXPECT_EQ(agent().stop(), exit_ok);
    std::filesystem::remove_all(agent().runtime());
    policies_->unmount();
    start();
    expect_degraded("it is not known what the policy folder");
    EXPECT_TRUE(as_before());
    EXPECT_EQ(agent().stop(), exit_ok);
    inventory_->unmount();
    start();
    expect_degraded("it is not known what the inventory folder");
    EXPECT_TRUE(as_before());
    inventory_->mount();
    world_->describe(Inventory::of(world_->node()));
    std::ofstream(agent().policies() / "none.yaml");
    EXPECT_EQ(agent().settle().exit, exit_ok);
    EXPECT_TRUE(open());
}

TEST_F(AwayFolders, DetachingForgetsWhatFilesSaid)
{
    enforce_one();
    EXPECT_EQ(agent().stop(), exit_ok);
    EXPECT_EQ(agent().detach().exit, exit_ok);
    std::filesystem::remove_all(agent().policies());
    std::filesystem::create_directories(agent().policies());
    ASSERT_TRUE(agent().start()) << agent().process().err();
    EXPECT_TRUE(open());
}

} // namespace
} // namespace system_test
