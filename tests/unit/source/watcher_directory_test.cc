// SPDX-License-Identifier: Apache-2.0
#include "source/watcher.h"
#include "temp_dir.h"
#include "watched.h"

#include <dirent.h>
#include <sys/stat.h>

// Directories that appear, vanish, are replaced or cannot be read.
namespace ebpfd {
namespace {

namespace fs = std::filesystem;

// What a test says of a directory that has become ready: its state, once it is that.
void wait_for_error(Watched& watched, bool wanted)
{
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (watched.state().error.empty() == wanted) {
        ASSERT_LT(std::chrono::steady_clock::now(), deadline);
        pollfd waiting{.fd = watched.fd(), .events = POLLIN, .revents = 0};
        ASSERT_EQ(poll(&waiting, 1, 20'000), 1);
        EXPECT_EQ(watched.now(), Batch{});
    }
}

TEST(WatcherDirectory, MissingDirectoryIsWaitedFor)
{
    const TempDir dir;
    const std::string path = dir / "a/b/c";
    Watched watched({path});
    EXPECT_EQ(watched.now(), Batch{});
    EXPECT_TRUE(watched.state().missing);
    EXPECT_EQ(watched.state().error, (dir / "a") + ": No such file or directory");
    fs::create_directory(dir / "a");
    fs::create_directories(path);
    write_file(path + "/x.yaml", "text");
    EXPECT_EQ(watched.next(), (Batch{{path + "/x.yaml", "text"}}));
    EXPECT_FALSE(watched.state().missing);
    EXPECT_EQ(watched.state().error, "");
}

TEST(WatcherDirectory, RemovedDirectoryTakesItsFilesAlongAndMayComeBack)
{
    const TempDir dir;
    const std::string path = dir / "p";
    fs::create_directory(path);
    write_file(path + "/x.yaml", "1");
    Watched watched({path});
    watched.next();
    fs::remove_all(path);
    EXPECT_EQ(watched.next(), (Batch{{path + "/x.yaml", "gone"}}));
    wait_for_error(watched, true);
    EXPECT_TRUE(watched.state().missing);
    fs::create_directory(path);
    write_file(path + "/x.yaml", "2");
    EXPECT_EQ(watched.next(), (Batch{{path + "/x.yaml", "2"}}));
}

TEST(WatcherDirectory, DirectoryRemovedWhileSomebodyHasItOpenIsSeen)
{
    const TempDir dir;
    const std::string path = dir / "p";
    fs::create_directory(path);
    Watched watched({path});
    watched.now();
    DIR* held = opendir(path.c_str());
    ASSERT_NE(held, nullptr);
    fs::remove(path);
    fs::create_directory(path);
    write_file(path + "/x.yaml", "1");
    EXPECT_EQ(watched.next(), (Batch{{path + "/x.yaml", "1"}}));
    closedir(held);
}

TEST(WatcherDirectory, ReplacedDirectoryIsOneChange)
{
    const TempDir dir;
    const std::string path = dir / "p";
    fs::create_directory(path);
    fs::create_directory(dir / "new");
    write_file(path + "/a.yaml", "1");
    write_file(path + "/b.yaml", "1");
    write_file(dir / "new/a.yaml", "2");
    write_file(dir / "new/c.yaml", "2");
    Watched watched({path});
    watched.next();
    fs::rename(path, dir / "old");
    EXPECT_EQ(watched.now(), Batch{}); // looked at just then
    fs::rename(dir / "new", path);
    EXPECT_EQ(
        watched.next(),
        (Batch{{path + "/a.yaml", "2"}, {path + "/b.yaml", "gone"}, {path + "/c.yaml", "2"}}));
    write_file(dir / "old/a.yaml", "not here any more");
    replace_file(path + "/a.yaml", "3");
    EXPECT_EQ(watched.now(), (Batch{{path + "/a.yaml", "3"}}));
}

TEST(WatcherDirectory, PathThroughALinkFollowsItsSwitch)
{
    const TempDir dir;
    fs::create_directories(dir / "v1/p");
    fs::create_directories(dir / "v2/p");
    write_file(dir / "v1/p/a.yaml", "1");
    write_file(dir / "v2/p/a.yaml", "2");
    fs::create_directory_symlink("v1", dir / "current");
    const std::string path = dir / "current/p";
    Watched watched({path});
    EXPECT_EQ(watched.next(), (Batch{{path + "/a.yaml", "1"}}));
    fs::create_directory_symlink("v2", dir / "next");
    fs::rename(dir / "next", dir / "current");
    EXPECT_EQ(watched.next(), (Batch{{path + "/a.yaml", "2"}}));
    replace_file(dir / "v2/p/a.yaml", "3");
    EXPECT_EQ(watched.next(), (Batch{{path + "/a.yaml", "3"}}));
}

TEST(WatcherDirectory, RenamedAncestorTakesTheFilesAlong)
{
    const TempDir dir;
    fs::create_directories(dir / "a/b/p");
    const std::string path = dir / "a/b/p";
    write_file(path + "/x.yaml", "1");
    Watched watched({path});
    watched.next();
    fs::rename(dir / "a", dir / "z");
    EXPECT_EQ(watched.next(), (Batch{{path + "/x.yaml", "gone"}}));
    fs::rename(dir / "z", dir / "a");
    EXPECT_EQ(watched.next(), (Batch{{path + "/x.yaml", "1"}}));
}

TEST(WatcherDirectory, FileInPlaceOfTheDirectoryIsAnErrorThatKeepsTheFiles)
{
    const TempDir dir;
    const std::string path = dir / "p";
    fs::create_directory(path);
    write_file(path + "/x.yaml", "1");
    Watched watched({path});
    watched.next();
    fs::rename(path, dir / "old");
    write_file(path, "a file");
    wait_for_error(watched, true);
    EXPECT_EQ(watched.state().error, "watch " + path + ": Not a directory");
    EXPECT_FALSE(watched.state().missing);
    EXPECT_EQ(watched.now(true), Batch{});
    EXPECT_EQ(watched.state().files, 1U);
    fs::remove(path);
    fs::rename(dir / "old", path);
    wait_for_error(watched, false);
    EXPECT_EQ(watched.now(true), Batch{});
}

TEST(WatcherDirectory, UnreadableDirectoryIsAnErrorThatKeepsTheFiles)
{
    const TempDir dir;
    const std::string path = dir / "p";
    fs::create_directory(path);
    write_file(path + "/x.yaml", "1");
    const AsNobody nobody;
    const auto set_mode = [&path](mode_t mode) {
        ASSERT_EQ(seteuid(getuid()), 0);
        ASSERT_EQ(chmod(path.c_str(), mode), 0);
        ASSERT_EQ(seteuid(65534), 0);
    };
    Watched watched({path});
    watched.next();
    set_mode(0);
    wait_for_error(watched, true);
    EXPECT_EQ(watched.state().error, "watch " + path + ": Permission denied");
    EXPECT_FALSE(watched.state().missing);
    EXPECT_EQ(watched.now(true), Batch{});
    EXPECT_EQ(watched.state().files, 1U);
    set_mode(0755);
    wait_for_error(watched, false);
    EXPECT_EQ(watched.now(true), Batch{});
}

TEST(WatcherDirectory, DirectoryUnreadableFromTheStartIsReadWhenItMayBe)
{
    const TempDir dir;
    const std::string path = dir / "p";
    fs::create_directory(path);
    write_file(path + "/x.yaml", "1");
    ASSERT_EQ(chmod(path.c_str(), 0), 0);
    const AsNobody nobody;
    Watched watched({path});
    EXPECT_EQ(watched.now(), Batch{});
    EXPECT_NE(watched.state().error, "");
    ASSERT_EQ(seteuid(getuid()), 0);
    ASSERT_EQ(chmod(path.c_str(), 0755), 0);
    EXPECT_EQ(watched.next(), (Batch{{path + "/x.yaml", "1"}}));
}

} // namespace
} // namespace ebpfd
