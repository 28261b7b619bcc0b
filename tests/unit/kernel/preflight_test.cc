// SPDX-License-Identifier: Apache-2.0
#include "bpffs.h"
#include "kernel/preflight.h"

#include <cerrno>
#include <filesystem>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

using namespace ebpfd;

TEST(Preflight, AFolderOffTheBpfFileSystemNamesTheMount)
{
    const auto refused = prepare_bpffs("/run/ebpfd-test/not/there");
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("mount -t bpf bpf /sys/fs/bpf"), std::string::npos);
    EXPECT_FALSE(std::filesystem::exists("/run/ebpfd-test"));
}

TEST(Preflight, AMissingFolderIsMadeForRootAlone)
{
    Bpffs bpffs;
    ASSERT_TRUE(prepare_bpffs(bpffs.path()));
    const auto permissions = std::filesystem::status(bpffs.path()).permissions();
    EXPECT_EQ(permissions, std::filesystem::perms::owner_all);
}

TEST(Preflight, AKernelWithoutTypesIsNamed)
{
    EXPECT_TRUE(check_btf());
    const auto refused = check_btf("/sys/kernel/btf/no-such-kernel");
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("CONFIG_DEBUG_INFO_BTF"), std::string::npos);
}

TEST(Preflight, AMissingCapabilityIsNamed)
{
    EXPECT_TRUE(check_ring_buffer());
    Result<void> refused;
    std::thread([&] { // capabilities belong to a thread
        __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
        __user_cap_data_struct none[2] = {};
        ASSERT_EQ(syscall(SYS_capset, &header, none), 0);
        refused = check_ring_buffer();
    })
        .join();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, EPERM);
    EXPECT_NE(refused.error().message.find("CAP_BPF"), std::string::npos);
}

TEST(Preflight, OpenSaysWhatIsWrongWithTheFolder)
{
    DatapathOptions options;
    options.bpffs = "/run/ebpfd-test";
    const auto refused = Datapath::open(options);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("is not on a bpf file system"), std::string::npos);
}
