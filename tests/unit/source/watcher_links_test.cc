// SPDX-License-Identifier: Apache-2.0
#include "source/watcher.h"
#include "temp_dir.h"
#include "watched.h"

// Files that are links: to files elsewhere, and as a kubelet mounts a ConfigMap.
namespace ebpfd {
namespace {

namespace fs = std::filesystem;

TEST(WatcherLinks, TargetWrittenInPlaceIsSeen)
{
    const TempDir dir;
    const TempDir elsewhere;
    write_file(elsewhere / "t", "1");
    fs::create_symlink(elsewhere / "t", dir / "a.yaml");
    Watched watched({dir.path()});
    EXPECT_EQ(watched.next(), (Batch{{dir / "a.yaml", "1"}}));
    write_file(elsewhere / "t", "2");
    EXPECT_EQ(watched.now(), (Batch{{dir / "a.yaml", "2"}}));
}

TEST(WatcherLinks, ReplacedTargetIsSeenAgainAndAgain)
{
    const TempDir dir;
    const TempDir elsewhere;
    write_file(elsewhere / "t", "1");
    fs::create_symlink(elsewhere / "t", dir / "a.yaml");
    Watched watched({dir.path()});
    watched.next();
    for (const char* text : {"2", "3", "4"}) {
        replace_file(elsewhere / "t", text);
        EXPECT_EQ(watched.next(), (Batch{{dir / "a.yaml", text}}));
    }
}

TEST(WatcherLinks, TargetMayAppearLaterAndVanish)
{
    const TempDir dir;
    const TempDir elsewhere;
    fs::create_symlink(elsewhere / "x/t", dir / "a.yaml");
    Watched watched({dir.path()});
    const Batch nowhere{{dir / "a.yaml", "error: open: No such file or directory"}};
    EXPECT_EQ(watched.now(), nowhere);
    fs::create_directory(elsewhere / "x");
    write_file(elsewhere / "x/t", "1");
    EXPECT_EQ(watched.until(dir / "a.yaml", "1").back(), (Batch{{dir / "a.yaml", "1"}}));
    fs::remove(elsewhere / "x/t");
    EXPECT_EQ(watched.next(), nowhere); // what it said stays in force
    fs::remove(dir / "a.yaml");
    EXPECT_EQ(watched.next(), (Batch{{dir / "a.yaml", "gone"}}));
}

TEST(WatcherLinks, LinkPutInPlaceAndSwitchedIsFollowed)
{
    const TempDir dir;
    const TempDir elsewhere;
    write_file(elsewhere / "t1", "1");
    write_file(elsewhere / "t2", "2");
    Watched watched({dir.path()});
    fs::create_symlink(elsewhere / "t1", dir / "a.yaml");
    EXPECT_EQ(watched.next(), (Batch{{dir / "a.yaml", "1"}}));
    fs::create_symlink(elsewhere / "t2", dir / "link");
    fs::rename(dir / "link", dir / "a.yaml");
    EXPECT_EQ(watched.next(), (Batch{{dir / "a.yaml", "2"}}));
    write_file(elsewhere / "t2", "3");
    EXPECT_EQ(watched.next(), (Batch{{dir / "a.yaml", "3"}}));
    replace_file(dir / "a.yaml", "a file now");
    EXPECT_EQ(watched.next(), (Batch{{dir / "a.yaml", "a file now"}}));
}

// What a kubelet does to a volume when its ConfigMap changes.
class ConfigMapVolume {
public:
    explicit ConfigMapVolume(const TempDir& dir) : dir_(dir) {}

    void publish(const std::map<std::string, std::string>& files)
    {
        const std::string version = "..v" + std::to_string(++version_);
        fs::create_directory(dir_ / version);
        for (const auto& [name, text] : files)
            write_file(dir_ / (version + "/" + name), text);
        fs::create_directory_symlink(version, dir_ / "..data_tmp");
        fs::rename(dir_ / "..data_tmp", dir_ / "..data");
        for (const auto& [name, text] : files)
            if (!names_.contains(name))
                fs::create_symlink("..data/" + name, dir_ / name);
        for (const auto& [name, text] : names_)
            if (!files.contains(name))
                fs::remove(dir_ / name);
        fs::remove_all(dir_ / ("..v" + std::to_string(version_ - 1)));
        names_ = files;
    }

private:
    const TempDir& dir_;
    int version_ = 0;
    std::map<std::string, std::string> names_;
};

TEST(WatcherLinks, ConfigMapSwitchIsOneChange)
{
    const TempDir dir;
    ConfigMapVolume volume(dir);
    volume.publish({{"a.yaml", "1"}, {"b.yaml", "1"}, {"same.yaml", "same"}, {"gone.yaml", "1"}});
    Watched watched({dir.path()});
    EXPECT_EQ(watched.next().size(), 4U);
    volume.publish({{"a.yaml", "2"}, {"b.yaml", "2"}, {"same.yaml", "same"}, {"new.yaml", "2"}});
    EXPECT_EQ(watched.next(), (Batch{{dir / "a.yaml", "2"},
                                     {dir / "b.yaml", "2"},
                                     {dir / "gone.yaml", "gone"},
                                     {dir / "new.yaml", "2"}}));
    volume.publish({{"a.yaml", "3"}});
    EXPECT_EQ(watched.next(), (Batch{{dir / "a.yaml", "3"},
                                     {dir / "b.yaml", "gone"},
                                     {dir / "new.yaml", "gone"},
                                     {dir / "same.yaml", "gone"}}));
    EXPECT_EQ(watched.state().files, 1U);
}

TEST(WatcherLinks, ConfigMapThatIsNotThereYetAppears)
{
    const TempDir dir;
    Watched watched({dir.path()});
    ConfigMapVolume volume(dir);
    volume.publish({{"a.yaml", "1"}, {"b.yaml", "1"}});
    EXPECT_EQ(watched.next(), (Batch{{dir / "a.yaml", "1"}, {dir / "b.yaml", "1"}}));
}

} // namespace
} // namespace ebpfd
