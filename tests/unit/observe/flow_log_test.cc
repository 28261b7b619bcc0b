// SPDX-License-Identifier: Apache-2.0
#include "observe/flow_log.h"
#include "records.h"

#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/mount.h>
#include <sys/stat.h>

namespace ebpfd {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using testing::refused;

bool eventually(const std::function<bool()>& condition)
{
    const auto end = std::chrono::steady_clock::now() + 10s;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end)
            return false;
        std::this_thread::sleep_for(5ms);
    }
    return true;
}

// A small file system of its own, which can be filled.
class SmallDisk {
public:
    SmallDisk(const std::string& path, const char* size) : path_(path)
    {
        fs::create_directories(path);
        mounted_ = mount("tmpfs", path.c_str(), "tmpfs", 0, size) == 0;
    }
    ~SmallDisk() { umount2(path_.c_str(), MNT_DETACH); }
    bool mounted() const { return mounted_; }

private:
    std::string path_;
    bool mounted_ = false;
};

class FlowLogTest : public ::testing::Test {
protected:
    FlowLogTest()
    {
        std::string name = (fs::temp_directory_path() / "ebpfd-flowlog-XXXXXX").string();
        dir_ = mkdtemp(name.data());
        observer_.set_names(testing::names());
    }
    ~FlowLogTest() override { fs::remove_all(dir_); }

    std::string path() const { return dir_ + "/flows.jsonl"; }
    FlowLogOptions options() const
    {
        return {.file = {.path = path(), .max_bytes = 1 << 20, .kept_files = 3},
                .queue = 4096,
                .filter = {}};
    }
    void feed(uint64_t count)
    {
        for (uint64_t i = 0; i < count; i++)
            observer_.consume(refused(++fed_));
    }
    // Everything that was fed is settled: written or dropped.
    static bool settled(const FlowLog& log)
    {
        return eventually([&] { return log.counts().queued == 0; });
    }
    static std::vector<std::string> lines_of(const std::string& file)
    {
        std::ifstream in(file);
        std::vector<std::string> out;
        for (std::string line; std::getline(in, line);)
            out.push_back(line);
        return out;
    }
    static std::string text_of(const std::string& file)
    {
        std::ifstream in(file);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    // Lines that are records; all others are failures.
    static uint64_t records_in(const std::string& file)
    {
        uint64_t count = 0;
        for (const auto& line : lines_of(file)) {
            const auto json = nlohmann::json::parse(line, nullptr, false);
            EXPECT_TRUE(json.is_object() && json.value("type", "") == "drop")
                << file << ": " << line;
            count++;
        }
        return count;
    }

    std::string dir_;
    Observer observer_;
    uint64_t fed_ = 0;
};

TEST_F(FlowLogTest, WritesTheLinesThatObserversSee)
{
    const auto reader = observer_.subscribe({}, {});
    {
        const FlowLog log(observer_, options());
        feed(3);
        ASSERT_TRUE(settled(log));
        const auto counts = log.counts();
        EXPECT_EQ(counts.taken, 3u);
        EXPECT_EQ(counts.written, 3u);
        EXPECT_EQ(counts.dropped, 0u);
        EXPECT_EQ(counts.bytes, fs::file_size(path()));
        observer_.close();
    }
    std::string seen;
    const auto batch = reader->next(1s);
    for (const auto& record : batch->records)
        seen += to_json_line(record);
    EXPECT_EQ(text_of(path()), seen);
    struct stat status {};
    ASSERT_EQ(stat(path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0600u);
}

TEST_F(FlowLogTest, WritesWhatWaitsBeforeItEnds)
{
    auto log = std::make_unique<FlowLog>(observer_, options());
    feed(1000);
    observer_.close();
    log.reset();
    EXPECT_EQ(records_in(path()), 1000u);
}

TEST_F(FlowLogTest, FilterLeavesTheRestOut)
{
    auto wanted = options();
    wanted.filter = *RecordFilter::parse({{"type", "flow_open"}});
    const FlowLog log(observer_, std::move(wanted));
    feed(5);
    observer_.consume(testing::opened(9));
    ASSERT_TRUE(eventually([&] { return log.counts().written == 1; }));
    EXPECT_EQ(log.counts().taken, 1u);
    observer_.close();
}

TEST_F(FlowLogTest, RotatesBySizeAndKeepsSoMany)
{
    auto small = options();
    small.file.max_bytes = 8192;
    small.file.kept_files = 2;
    const FlowLog log(observer_, std::move(small));
    feed(200);
    ASSERT_TRUE(settled(log));
    EXPECT_EQ(log.counts().written, 200u);
    EXPECT_GE(log.counts().rotations, 3u);
    uint64_t kept = 0;
    for (const auto& file : {path(), path() + ".1", path() + ".2"}) {
        EXPECT_LE(fs::file_size(file), 8192u);
        kept += records_in(file);
    }
    EXPECT_GT(kept, 10u);
    EXPECT_LT(kept, 200u);
    EXPECT_FALSE(fs::exists(path() + ".3"));
    observer_.close();
}

TEST_F(FlowLogTest, KeepsNoneIfNoneAreWanted)
{
    auto small = options();
    small.file.max_bytes = 8192;
    small.file.kept_files = 0;
    const FlowLog log(observer_, std::move(small));
    feed(100);
    ASSERT_TRUE(settled(log));
    EXPECT_LE(fs::file_size(path()), 8192u);
    EXPECT_FALSE(fs::exists(path() + ".1"));
    observer_.close();
}

TEST_F(FlowLogTest, AppendsAfterARestart)
{
    for (int start = 0; start < 2; start++) {
        Observer observer;
        FlowLog log(observer, options());
        observer.consume(refused());
        observer.close();
        ASSERT_TRUE(settled(log));
    }
    EXPECT_EQ(records_in(path()), 2u);
}

TEST_F(FlowLogTest, BeginsALineOfItsOwnBehindATornOne)
{
    std::ofstream(path()) << "{\"time\":\"20";
    const FlowLog log(observer_, options());
    feed(1);
    ASSERT_TRUE(settled(log));
    const auto lines = lines_of(path());
    ASSERT_EQ(lines.size(), 2u);
    EXPECT_TRUE(nlohmann::json::accept(lines[1]));
    observer_.close();
}

TEST_F(FlowLogTest, ReopensForThoseWhoRotateThemselves)
{
    FlowLog log(observer_, options());
    feed(1);
    ASSERT_TRUE(settled(log));
    fs::rename(path(), path() + ".old");
    log.reopen();
    ASSERT_TRUE(eventually([&] { return fs::exists(path()); }));
    feed(1);
    ASSERT_TRUE(settled(log));
    EXPECT_EQ(records_in(path()), 1u);
    EXPECT_EQ(records_in(path() + ".old"), 1u);
    observer_.close();
}

TEST_F(FlowLogTest, FollowsNoSymbolicLink)
{
    const std::string victim = dir_ + "/victim";
    std::ofstream(victim) << "precious\n";
    fs::create_symlink(victim, path());
    const FlowLog log(observer_, options());
    feed(1);
    ASSERT_TRUE(eventually([&] { return log.counts().errors > 0; }));
    EXPECT_THAT(log.counts().error, ::testing::HasSubstr(path()));
    EXPECT_EQ(text_of(victim), "precious\n");
    observer_.close();
}

TEST_F(FlowLogTest, AFullDiskCostsCountedRecordsAndIsNotForEver)
{
    const SmallDisk disk(dir_ + "/disk", "size=64k");
    ASSERT_TRUE(disk.mounted()) << "this test mounts a tmpfs: it needs root";
    auto full = options();
    full.file.path = dir_ + "/disk/flows.jsonl";
    full.queue = 16;
    const std::string ballast = dir_ + "/disk/ballast";
    std::ofstream(ballast) << std::string(40 << 10, 'x');
    const FlowLog log(observer_, full);
    // More than fits, in portions that leave the writer time to meet the end of the disk.
    ASSERT_TRUE(eventually([&] {
        feed(8);
        return log.counts().errors > 0;
    }));
    EXPECT_THAT(log.counts().error, ::testing::HasSubstr("No space left"));
    feed(1000);
    const auto stuck = log.counts();
    EXPECT_EQ(stuck.taken, fed_);
    EXPECT_EQ(stuck.taken, stuck.written + stuck.dropped + stuck.queued);
    EXPECT_GE(stuck.dropped, 900u);
    EXPECT_EQ(records_in(full.file.path), stuck.written); // not half a line more
    fs::remove(ballast);
    ASSERT_TRUE(settled(log));
    EXPECT_EQ(log.counts().error, "");
    EXPECT_EQ(log.counts().taken, log.counts().written + log.counts().dropped);
    EXPECT_EQ(records_in(full.file.path), log.counts().written);
    observer_.close();
}

TEST_F(FlowLogTest, ASlowConsumerHoldsUpNobody)
{
    ASSERT_EQ(mkfifo(path().c_str(), 0600), 0);
    const Fd consumer(open(path().c_str(), O_RDONLY | O_NONBLOCK));
    ASSERT_TRUE(consumer);
    auto slow = options();
    slow.queue = 64;
    auto log = std::make_unique<FlowLog>(observer_, slow);
    ASSERT_TRUE(eventually([&] {
        feed(64);
        return log->counts().dropped > 0;
    }));
    EXPECT_EQ(log->counts().taken, fed_);
    // What the FIFO holds ends with a whole line, also when the writer gives up.
    observer_.close();
    log.reset();
    std::string text(1 << 20, '\0');
    const ssize_t size = read(consumer.get(), text.data(), text.size());
    ASSERT_GT(size, 0);
    EXPECT_EQ(text[static_cast<size_t>(size) - 1], '\n');
}

TEST_F(FlowLogTest, AConsumerThatLeftIsWaitedFor)
{
    ASSERT_EQ(mkfifo(path().c_str(), 0600), 0);
    const FlowLog log(observer_, options());
    feed(1);
    ASSERT_TRUE(eventually([&] { return log.counts().errors > 0; }));
    const Fd consumer(open(path().c_str(), O_RDONLY | O_NONBLOCK));
    ASSERT_TRUE(settled(log));
    EXPECT_EQ(log.counts().written, 1u);
    observer_.close();
}

TEST_F(FlowLogTest, AFailedRotationPushesNothingOut)
{
    auto small = options();
    small.file.max_bytes = 4096;
    small.file.kept_files = 3;
    std::ofstream(path() + ".2") << "kept\n";
    fs::create_directories(path() + ".1/in-the-way"); // no file can take this name
    fs::create_directories(path() + ".3/in-the-way");
    const FlowLog log(observer_, std::move(small));
    feed(100);
    ASSERT_TRUE(eventually([&] { return log.counts().errors > 1; }));
    EXPECT_EQ(text_of(path() + ".2"), "kept\n");
    EXPECT_LE(fs::file_size(path()), 4096u);
    observer_.close();
}

} // namespace
} // namespace ebpfd
