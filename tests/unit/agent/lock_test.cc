// SPDX-License-Identifier: Apache-2.0
#include "lock.h"

#include <cerrno>
#include <filesystem>
#include <fmt/format.h>
#include <gtest/gtest.h>

namespace ebpfd {
namespace {

class Lock : public testing::Test {
protected:
    Lock()
    {
        std::string name = (std::filesystem::temp_directory_path() / "ebpfd-lock-XXXXXX").string();
        dir_ = mkdtemp(name.data());
        bpffs_ = fmt::format("/sys/fs/bpf/test-lock-{}", getpid());
    }
    ~Lock() override
    {
        std::filesystem::remove_all(dir_);
        rmdir(bpffs_.c_str());
        rmdir((bpffs_ + "-other").c_str());
    }

    std::string dir_;
    std::string bpffs_;
};

TEST_F(Lock, SecondAgentInARuntimeFolderIsRefusedByName)
{
    const auto first = AgentLock::take(dir_ + "/run", bpffs_);
    ASSERT_TRUE(first) << first.error().message;
    const auto second = AgentLock::take(dir_ + "/run", bpffs_ + "-other");
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, EBUSY);
    EXPECT_NE(second.error().message.find(fmt::format("process {}", getpid())), std::string::npos);
}

TEST_F(Lock, SecondAgentWithTheSameMapsIsRefused)
{
    const auto first = AgentLock::take(dir_ + "/one", bpffs_);
    ASSERT_TRUE(first) << first.error().message;
    const auto second = AgentLock::take(dir_ + "/two", bpffs_);
    ASSERT_FALSE(second);
    EXPECT_NE(second.error().message.find(bpffs_), std::string::npos);
}

TEST_F(Lock, GoesWithItsOwner)
{
    EXPECT_TRUE(AgentLock::take(dir_, bpffs_));
    EXPECT_TRUE(AgentLock::take(dir_, bpffs_));
}

TEST_F(Lock, AgentsWithNothingInCommonCoexist)
{
    const auto first = AgentLock::take(dir_ + "/one", bpffs_);
    const auto second = AgentLock::take(dir_ + "/two", bpffs_ + "-other");
    EXPECT_TRUE(first && second);
}

} // namespace
} // namespace ebpfd
