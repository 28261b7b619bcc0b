// SPDX-License-Identifier: Apache-2.0
#include "source/watcher.h"
#include "temp_dir.h"
#include "watched.h"

#include <sched.h>
#include <sys/mount.h>

// File systems that come and go where a directory is watched, and events that are lost. This
// program has a mount namespace of its own for it.
namespace ebpfd {
namespace {

class WatcherMount : public testing::Test {
protected:
    static void SetUpTestSuite()
    {
        ASSERT_EQ(unshare(CLONE_NEWNS | CLONE_FS), 0) << "this test mounts: it needs root";
        ASSERT_EQ(mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
    }
    void SetUp() override { std::filesystem::create_directory(path_); }
    void TearDown() override { umount2(path_.c_str(), MNT_DETACH); }
    void mount_files() const
    {
        ASSERT_EQ(mount("watched", path_.c_str(), "tmpfs", 0, "size=1m"), 0);
    }
    // Until the directory has an error, or none.
    static bool becomes_bad(Watched& watched, bool wanted, Batch& seen)
    {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        while (watched.state().error.empty() == wanted) {
            pollfd waiting{.fd = watched.fd(), .events = POLLIN, .revents = 0};
            if (std::chrono::steady_clock::now() > deadline || poll(&waiting, 1, 20'000) != 1)
                return false;
            seen.merge(watched.now());
        }
        return true;
    }

    const TempDir dir_;
    const std::string path_ = dir_ / "p";
};

TEST_F(WatcherMount, FilesOfAMountThatVanishesStay)
{
    mount_files();
    write_file(path_ + "/a.yaml", "1");
    Watched watched({path_});
    watched.next();
    ASSERT_EQ(umount2(path_.c_str(), MNT_DETACH), 0);
    Batch seen;
    ASSERT_TRUE(becomes_bad(watched, true, seen));
    EXPECT_EQ(watched.now(true), Batch{});
    EXPECT_NE(watched.state().error.find("is a mount missing?"), std::string::npos);
    EXPECT_FALSE(watched.state().missing);
    EXPECT_EQ(watched.state().files, 1u);
    mount_files(); // empty at first, as a volume is that is filled again
    EXPECT_EQ(watched.now(), Batch{});
    write_file(path_ + "/b.yaml", "2");
    EXPECT_TRUE(becomes_bad(watched, false, seen));
    if (seen.empty())
        seen = watched.next();
    EXPECT_EQ(seen, (Batch{{path_ + "/a.yaml", "gone"}, {path_ + "/b.yaml", "2"}}));
}

// The mount point lies on the same device.
TEST_F(WatcherMount, FilesOfAFolderThatWasBoundStay)
{
    const std::string real = dir_ / "real";
    std::filesystem::create_directory(real);
    write_file(real + "/a.yaml", "1");
    ASSERT_EQ(mount(real.c_str(), path_.c_str(), nullptr, MS_BIND, nullptr), 0);
    Watched watched({path_});
    EXPECT_EQ(watched.next(), (Batch{{path_ + "/a.yaml", "1"}}));
    ASSERT_EQ(umount2(path_.c_str(), MNT_DETACH), 0);
    Batch seen;
    ASSERT_TRUE(becomes_bad(watched, true, seen));
    EXPECT_EQ(watched.now(true), Batch{});
    ASSERT_EQ(mount(real.c_str(), path_.c_str(), nullptr, MS_BIND, nullptr), 0);
    ASSERT_TRUE(becomes_bad(watched, false, seen));
    EXPECT_EQ(watched.now(true), Batch{});
    EXPECT_EQ(seen, Batch{});
}

// It may have the same device and inode numbers as the one before.
TEST_F(WatcherMount, AnotherEmptyFileSystemIsNotTheOneThatHeldTheFiles)
{
    mount_files();
    write_file(path_ + "/a.yaml", "1");
    Watched watched({path_});
    watched.next();
    Batch seen;
    for (int i = 0; i < 3; ++i) {
        ASSERT_EQ(umount(path_.c_str()), 0);
        mount_files();
        ASSERT_TRUE(becomes_bad(watched, true, seen));
        EXPECT_EQ(watched.now(true), Batch{});
    }
    EXPECT_EQ(seen, Batch{});
}

TEST_F(WatcherMount, AMountIsSeenWhenItComes)
{
    Watched watched({path_});
    EXPECT_EQ(watched.now(), Batch{});
    mount_files();
    write_file(path_ + "/a.yaml", "1");
    EXPECT_EQ(watched.next(), (Batch{{path_ + "/a.yaml", "1"}}));
}

// As of an agent that was stopped for a while.
TEST(WatcherOverflow, EventsThatAreLostAreMadeGood)
{
    const TempDir dir;
    uint64_t queue = 0;
    ASSERT_TRUE(std::ifstream("/proc/sys/fs/inotify/max_queued_events") >> queue);
    write_file(dir / "a.yaml", "1");
    write_file(dir / "gone.yaml", "1");
    Watched watched({dir.path()});
    watched.next();
    for (uint64_t renamed = 0; renamed <= queue / 2; ++renamed) {
        ASSERT_EQ(rename((dir / "a.yaml").c_str(), (dir / "b.yaml").c_str()), 0);
        ASSERT_EQ(rename((dir / "b.yaml").c_str(), (dir / "a.yaml").c_str()), 0);
    }
    // What comes now has no room in the queue.
    std::filesystem::remove(dir / "gone.yaml");
    replace_file(dir / "a.yaml", "2");
    write_file(dir / "new.yaml", "2");
    Batch seen; // of several batches: what is in the queue is read in parts
    for (Batch next = watched.next(); !next.empty() && seen.size() < 3;
         next = seen.size() < 3 ? watched.next() : Batch{})
        for (const auto& [file, text] : next)
            seen[file] = text;
    EXPECT_EQ(seen,
              (Batch{{dir / "a.yaml", "2"}, {dir / "gone.yaml", "gone"}, {dir / "new.yaml", "2"}}));
}

} // namespace
} // namespace ebpfd
