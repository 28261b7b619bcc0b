// SPDX-License-Identifier: Apache-2.0
#include "source/read.h"
#include "temp_dir.h"

#include <cerrno>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace ebpfd {
namespace {

TEST(Read, FileIsReadWhole)
{
    const TempDir dir;
    write_file(dir / "a.yaml", "kind: Pod\n");
    const auto read = read_file(dir / "a.yaml");
    ASSERT_TRUE(read.has_value()) << read.error().message;
    EXPECT_EQ(read->text, "kind: Pod\n");
    EXPECT_EQ(read->stamp.size, 10);
}

TEST(Read, FileWithoutASizeIsReadToItsEnd)
{
    const auto read = read_file("/proc/self/status");
    ASSERT_TRUE(read.has_value()) << read.error().message;
    EXPECT_NE(read->text.find("VmHWM"), std::string::npos);
}

TEST(Read, LargeFileIsRefusedUnread)
{
    const TempDir dir;
    write_file(dir / "a.yaml", "");
    std::filesystem::resize_file(dir / "a.yaml", size_t{100} << 20); // a hole
    const auto read = read_file(dir / "a.yaml");
    ASSERT_FALSE(read.has_value());
    EXPECT_EQ(read.error().message, "file is 100 MiB; at most 32 MiB are read");
}

TEST(Read, FileAtTheLimitIsRead)
{
    const TempDir dir;
    write_file(dir / "a.yaml", "12345678");
    EXPECT_TRUE(read_file(dir / "a.yaml", 8).has_value());
    const auto read = read_file(dir / "a.yaml", 7);
    ASSERT_FALSE(read.has_value());
    EXPECT_EQ(read.error().message, "file is 8 bytes; at most 7 bytes are read");
}

TEST(Read, FifoAndDeviceAreRefusedWithoutWaiting)
{
    const TempDir dir;
    ASSERT_EQ(mkfifo((dir / "a.yaml").c_str(), 0600), 0);
    EXPECT_EQ(read_file(dir / "a.yaml").error().message, "not a regular file");
    EXPECT_EQ(read_file("/dev/zero").error().message, "not a regular file");
}

TEST(Read, DirectoryAndMissingFileSayTheirErrno)
{
    const TempDir dir;
    EXPECT_EQ(read_file(dir.path()).error().code, EISDIR);
    const auto missing = read_file(dir / "a.yaml");
    EXPECT_EQ(missing.error().code, ENOENT);
    EXPECT_EQ(missing.error().message, "open: No such file or directory");
}

TEST(Read, UnreadableFileSaysSo)
{
    const TempDir dir;
    write_file(dir / "a.yaml", "x");
    ASSERT_EQ(chmod((dir / "a.yaml").c_str(), 0), 0);
    const AsNobody nobody;
    const auto read = read_file(dir / "a.yaml");
    ASSERT_FALSE(read.has_value());
    EXPECT_EQ(read.error().message, "open: Permission denied");
}

} // namespace
} // namespace ebpfd
