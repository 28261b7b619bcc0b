// SPDX-License-Identifier: Apache-2.0
#include "source/watcher.h"
#include "temp_dir.h"
#include "watched.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <utime.h>

// Files in a directory that stays: how each way of writing them is seen.
namespace ebpfd {
namespace {

namespace fs = std::filesystem;

// Shows that nothing else came before by a change that does come.
Batch only_marker(Watched& watched, const TempDir& dir)
{
    replace_file(dir / "marker.yaml", "marker");
    return watched.next();
}

TEST(WatcherFiles, FirstBatchIsEverythingThatLiesThere)
{
    const TempDir dir;
    write_file(dir / "a.yaml", "1");
    write_file(dir / "b.yml", "2");
    write_file(dir / "c.json", "3");
    Watched watched({dir.path() + "/"});
    EXPECT_EQ(watched.next(),
              (Batch{{dir / "a.yaml", "1"}, {dir / "b.yml", "2"}, {dir / "c.json", "3"}}));
    EXPECT_EQ(watched.state().files, 3U);
    EXPECT_EQ(watched.state().error, "");
    EXPECT_FALSE(watched.state().missing);
}

TEST(WatcherFiles, OtherNamesAreLeftAlone)
{
    const TempDir dir;
    Watched watched({dir.path()});
    for (const char* name :
         {".a.yaml", "a.yaml~", ".a.yaml.swp", "4913", "a.yaml.tmp", "a.txt", "yaml", "a.YAML"})
        write_file(dir / name, "x");
    fs::create_directory(dir / "d.yaml");
    write_file(dir / "d.yaml/e.yaml", "x");
    fs::create_symlink(dir / "d.yaml", dir / "l.yaml");
    EXPECT_EQ(only_marker(watched, dir), (Batch{{dir / "marker.yaml", "marker"}}));
    EXPECT_EQ(watched.now(true), Batch{});
}

TEST(WatcherFiles, RenamedIntoPlaceIsReadAtOnce)
{
    const TempDir dir;
    write_file(dir / "a.yaml", "old");
    Watched watched({dir.path()});
    watched.next();
    replace_file(dir / "a.yaml", "new");
    EXPECT_EQ(watched.now(), (Batch{{dir / "a.yaml", "new"}}));
    replace_file(dir / "b.yaml", "first");
    EXPECT_EQ(watched.now(), (Batch{{dir / "b.yaml", "first"}}));
}

TEST(WatcherFiles, HardLinkIsReadAtOnce)
{
    const TempDir dir;
    write_file(dir / "a", "text");
    Watched watched({dir.path()});
    fs::create_hard_link(dir / "a", dir / "a.yaml");
    EXPECT_EQ(watched.now(), (Batch{{dir / "a.yaml", "text"}}));
}

TEST(WatcherFiles, WrittenInPlaceIsReadWhenClosed)
{
    const TempDir dir;
    Watched watched({dir.path()});
    Fd writer(open((dir / "a.yaml").c_str(), O_CREAT | O_WRONLY, 0644));
    ASSERT_EQ(write(writer.get(), "half", 4), 4);
    EXPECT_EQ(watched.now(), Batch{});
    ASSERT_EQ(write(writer.get(), " and half", 9), 9);
    EXPECT_EQ(watched.now(), Batch{});
    close(writer.release());
    EXPECT_EQ(watched.now(), (Batch{{dir / "a.yaml", "half and half"}}));
}

TEST(WatcherFiles, TruncatedFileKeepsItsTextUntilItIsWritten)
{
    const TempDir dir;
    write_file(dir / "a.yaml", "old");
    Watched watched({dir.path()});
    watched.next();
    Fd writer(open((dir / "a.yaml").c_str(), O_WRONLY | O_TRUNC));
    EXPECT_EQ(watched.now(), Batch{});
    ASSERT_EQ(write(writer.get(), "new", 3), 3);
    EXPECT_EQ(watched.now(), Batch{});
    close(writer.release());
    EXPECT_EQ(watched.now(), (Batch{{dir / "a.yaml", "new"}}));
}

TEST(WatcherFiles, WriterThatStaysOpenIsReadWhenQuiet)
{
    const TempDir dir;
    Watched watched({dir.path()});
    const Fd writer(open((dir / "a.yaml").c_str(), O_CREAT | O_WRONLY, 0644));
    ASSERT_EQ(write(writer.get(), "text", 4), 4);
    EXPECT_EQ(watched.now(), Batch{});
    EXPECT_EQ(watched.next(), (Batch{{dir / "a.yaml", "text"}}));
}

TEST(WatcherFiles, FullRescanDoesNotWaitForWriters)
{
    const TempDir dir;
    Watched watched({dir.path()});
    const Fd writer(open((dir / "a.yaml").c_str(), O_CREAT | O_WRONLY, 0644));
    ASSERT_EQ(write(writer.get(), "text", 4), 4);
    EXPECT_EQ(watched.now(), Batch{});
    EXPECT_EQ(watched.now(true), (Batch{{dir / "a.yaml", "text"}}));
}

TEST(WatcherFiles, FullRescanOfAnUnchangedTreeGivesNothing)
{
    const TempDir dir;
    write_file(dir / "a.yaml", "1");
    fs::create_symlink("a.yaml", dir / "b.yaml");
    Watched watched({dir.path()});
    EXPECT_EQ(watched.now(true).size(), 2U);
    EXPECT_EQ(watched.now(true), Batch{});
    EXPECT_EQ(watched.now(), Batch{});
}

TEST(WatcherFiles, SameTextAgainIsNoChange)
{
    const TempDir dir;
    write_file(dir / "a.yaml", "same");
    Watched watched({dir.path()});
    watched.next();
    write_file(dir / "a.yaml", "same");
    replace_file(dir / "a.yaml", "same");
    ASSERT_EQ(utime((dir / "a.yaml").c_str(), nullptr), 0);
    EXPECT_EQ(only_marker(watched, dir), (Batch{{dir / "marker.yaml", "marker"}}));
}

TEST(WatcherFiles, EditThatKeepsSizeAndTimeIsSeen)
{
    const TempDir dir;
    write_file(dir / "a.yaml", "one");
    const auto time = fs::last_write_time(dir / "a.yaml");
    Watched watched({dir.path()});
    watched.next();
    write_file(dir / "a.yaml", "two");
    fs::last_write_time(dir / "a.yaml", time);
    EXPECT_EQ(watched.now(true), (Batch{{dir / "a.yaml", "two"}}));
}

TEST(WatcherFiles, DeletedFileIsGone)
{
    const TempDir dir;
    write_file(dir / "a.yaml", "1");
    write_file(dir / "b.yaml", "2");
    Watched watched({dir.path()});
    watched.next();
    fs::remove(dir / "a.yaml");
    EXPECT_EQ(watched.next(), (Batch{{dir / "a.yaml", "gone"}}));
    fs::rename(dir / "b.yaml", dir / "b.disabled");
    EXPECT_EQ(watched.next(), (Batch{{dir / "b.yaml", "gone"}}));
    EXPECT_EQ(watched.state().files, 0U);
}

TEST(WatcherFiles, FullRescanSeesDeletionAtOnce)
{
    const TempDir dir;
    write_file(dir / "a.yaml", "1");
    Watched watched({dir.path()});
    watched.next();
    fs::remove(dir / "a.yaml");
    EXPECT_EQ(watched.now(true), (Batch{{dir / "a.yaml", "gone"}}));
}

TEST(WatcherFiles, EditorThatMovesTheOldFileAsideNeverMakesItVanish)
{
    const TempDir dir;
    write_file(dir / "a.yaml", "old");
    Watched watched({dir.path()});
    watched.next();
    write_file(dir / "4913", "");
    fs::remove(dir / "4913");
    fs::rename(dir / "a.yaml", dir / "a.yaml~");
    EXPECT_EQ(watched.now(), Batch{}); // looked at just then
    write_file(dir / "a.yaml", "new");
    EXPECT_EQ(watched.next(), (Batch{{dir / "a.yaml", "new"}}));
    fs::remove(dir / "a.yaml~");
    EXPECT_EQ(only_marker(watched, dir), (Batch{{dir / "marker.yaml", "marker"}}));
}

TEST(WatcherFiles, UnreadableFileIsAnErrorOnceAndGivenAgainWhenFixed)
{
    const TempDir dir;
    write_file(dir / "a.yaml", "text");
    const AsNobody nobody;
    Watched watched({dir.path()});
    EXPECT_EQ(watched.next(), (Batch{{dir / "a.yaml", "text"}}));
    const auto set_mode = [&dir](mode_t mode) {
        ASSERT_EQ(seteuid(getuid()), 0);
        ASSERT_EQ(chmod((dir / "a.yaml").c_str(), mode), 0);
        ASSERT_EQ(seteuid(65534), 0);
    };
    set_mode(0);
    EXPECT_EQ(watched.next(), (Batch{{dir / "a.yaml", "error: open: Permission denied"}}));
    EXPECT_EQ(watched.state().files, 1U);
    EXPECT_EQ(watched.now(true), Batch{});
    set_mode(0644);
    EXPECT_EQ(watched.next(), (Batch{{dir / "a.yaml", "text"}}));
}

TEST(WatcherFiles, LargeOrSpecialFileIsAnErrorOfThatFile)
{
    const TempDir dir;
    write_file(dir / "a.yaml", "");
    fs::resize_file(dir / "a.yaml", size_t{100} << 20);
    ASSERT_EQ(mkfifo((dir / "b.yaml").c_str(), 0644), 0);
    fs::create_symlink("c.yaml", dir / "c.yaml");
    write_file(dir / "d.yaml", "good");
    Watched watched({dir.path()});
    EXPECT_EQ(watched.next(),
              (Batch{{dir / "a.yaml", "error: file is 100 MiB; at most 32 MiB are read"},
                     {dir / "b.yaml", "error: not a regular file"},
                     {dir / "c.yaml", "error: open: Too many levels of symbolic links"},
                     {dir / "d.yaml", "good"}}));
    EXPECT_EQ(watched.now(true), Batch{});
}

TEST(WatcherFiles, LostEventsAreMadeUpForByARescan)
{
    const TempDir dir;
    write_file(dir / "old.yaml", "old");
    Watched watched({dir.path()});
    watched.next();
    int queue = 0;
    std::ifstream("/proc/sys/fs/inotify/max_queued_events") >> queue;
    ASSERT_GT(queue, 0);
    const int files = queue / 3 + 100; // each is created, modified, closed
    for (int i = 0; i < files; ++i)
        write_file(dir / ("f" + std::to_string(i) + ".yaml"), "x");
    fs::remove(dir / "old.yaml");
    replace_file(dir / "last.yaml", "last");
    Batch all;
    while (all.size() < static_cast<size_t>(files) + 2)
        all.merge(watched.next());
    EXPECT_EQ(all[dir / "old.yaml"], "gone");
    EXPECT_EQ(all[dir / "last.yaml"], "last");
}

TEST(WatcherFiles, TenThousandFilesWork)
{
    const TempDir dir;
    for (int i = 0; i < 10'000; ++i)
        write_file(dir / (std::to_string(i) + ".yaml"), "x");
    Watched watched({dir.path()});
    EXPECT_EQ(watched.next().size(), 10'000U);
    EXPECT_EQ(watched.state().files, 10'000U);
    replace_file(dir / "5000.yaml", "y");
    EXPECT_EQ(watched.now(), (Batch{{dir / "5000.yaml", "y"}}));
    EXPECT_EQ(watched.now(true), Batch{});
}

TEST(WatcherFiles, DirectoriesAreWatchedBesideEachOther)
{
    const TempDir first;
    const TempDir second;
    Watched watched({first.path(), second.path()});
    write_file(second / "a.yaml", "2");
    write_file(first / "a.yaml", "1");
    EXPECT_EQ(watched.now(), (Batch{{first / "a.yaml", "1"}, {second / "a.yaml", "2"}}));
    EXPECT_EQ(watched.state(1).files, 1U);
}

} // namespace
} // namespace ebpfd
