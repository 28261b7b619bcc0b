// SPDX-License-Identifier: Apache-2.0
#include "system/world.h"

#include <chrono>
#include <fmt/format.h>
#include <fstream>
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <unistd.h>

namespace system_test {
namespace {

using testing::HasSubstr;

constexpr uint64_t mebibyte = 1 << 20;

// Policies that take some tens of megabytes to read, compile and write; they isolate api.
PolicyFile big_policies()
{
    std::string text = policy("ops/api", "{podSelector: {matchLabels: {app: api}}}").text;
    for (int i = 0; i < 300; ++i) {
        std::string blocks;
        for (int j = 0; j < 250; ++j)
            blocks +=
                fmt::format("{{ipBlock: {{cidr: 10.{}.{}.{}/32}}}}, ", 100 + i / 250, i % 250, j);
        text += "---\n" + policy(fmt::format("shop/big-{}", i),
                                 fmt::format("{{podSelector: {{matchLabels: {{app: db}}}}, "
                                             "ingress: [{{from: [{}], ports: [{{port: {}}}]}}]}}",
                                             blocks, 1000 + i))
                              .text;
    }
    return {"big.yaml", text};
}

// A cgroup whose processes get only so much memory from now on; the kernel kills who wants more.
class MemoryGroup {
public:
    explicit MemoryGroup(uint64_t bytes)
    {
        const bool old = std::filesystem::exists("/sys/fs/cgroup/memory"); // version 1
        path_ = fmt::format("/sys/fs/cgroup/{}ebpfd-test-{}", old ? "memory/" : "", getpid());
        std::filesystem::create_directory(path_);
        write(old ? "memory.limit_in_bytes" : "memory.max", bytes);
    }
    MemoryGroup(const MemoryGroup&) = delete;
    MemoryGroup& operator=(const MemoryGroup&) = delete;
    ~MemoryGroup() { rmdir(path_.c_str()); }
    void take(pid_t pid) const { write("cgroup.procs", static_cast<uint64_t>(pid)); }

private:
    void write(const char* file, uint64_t value) const
    {
        std::ofstream out(path_ / file);
        out << value << std::flush;
        EXPECT_TRUE(out) << path_ / file << ": this test needs cgroups that count memory";
    }
    std::filesystem::path path_;
};

// An agent without memory: what is in force stays.
class Memory : public OnRoutedPods {
protected:
    void SetUp() override
    {
        ASSERT_NO_FATAL_FAILURE(OnRoutedPods::SetUp());
        enforce({db_allows(80)});
    }
    testing::AssertionResult in_force(bool big)
    {
        return traffic({yes("web", "db", 80), no("web", "db", 8080),
                        Attempt{"web", "api", 80, Transport::tcp, !big}});
    }
    // The agent may have so much more memory than it has.
    void limit(uint64_t room)
    {
        const pid_t pid = agent().process().pid();
        std::ifstream sizes(fmt::format("/proc/{}/statm", pid));
        uint64_t pages = 0;
        for (int field = 0; field < 6; ++field)
            sizes >> pages; // the sixth: data and stack
        ASSERT_GT(pages, 0u);
        const uint64_t bytes = pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE)) + room;
        const rlimit wanted{bytes, RLIM_INFINITY};
        ASSERT_EQ(prlimit(pid, RLIMIT_DATA, &wanted, nullptr), 0);
    }
    void unlimit()
    {
        const rlimit wanted{RLIM_INFINITY, RLIM_INFINITY};
        ASSERT_EQ(prlimit(agent().process().pid(), RLIMIT_DATA, &wanted, nullptr), 0);
    }
};

TEST_F(Memory, ChangeForWhichThereIsNoneLeavesThePolicyInForceUntilThereIs)
{
    const auto big = big_policies();
    const auto path = agent().policies() / big.name;
    // Of an agent that has just started, the first is too little to parse, the other to compile.
    for (const uint64_t room : {0, 8}) {
        SCOPED_TRACE(room);
        ASSERT_EQ(agent().stop(), exit_ok);
        ASSERT_TRUE(agent().start()) << agent().process().err();
        ASSERT_TRUE(in_force(false));
        limit(room * mebibyte);
        replace_file(path, big.text);
        const auto refused = agent().settle();
        ASSERT_TRUE(agent().running()) << agent().process().err();
        EXPECT_EQ(refused.exit, exit_degraded);
        EXPECT_THAT(refused.out, HasSubstr("Cannot allocate memory"));
        EXPECT_TRUE(in_force(false));
        unlimit();
        EXPECT_EQ(agent().settle().exit, exit_ok);
        EXPECT_TRUE(in_force(true));
        std::filesystem::remove(path);
        ASSERT_EQ(agent().settle().exit, exit_ok);
    }
}

TEST_F(Memory, KilledForWantOfItLeavesThePolicyInForce)
{
    const auto big = big_policies();
    // One that has just started has no memory left over from changes before.
    ASSERT_EQ(agent().stop(), exit_ok);
    ASSERT_TRUE(agent().start()) << agent().process().err();
    const MemoryGroup group(2 * mebibyte);
    group.take(agent().process().pid());
    replace_file(agent().policies() / big.name, big.text);
    // The kernel looks long for what it could take from it.
    ASSERT_TRUE(lab::eventually([this] { return !agent().running(); }, std::chrono::seconds(60)));
    EXPECT_EQ(agent().stop(), 128 + SIGKILL);
    // Before or after the change, which is one: there may be memory for all but its names.
    EXPECT_TRUE(in_force(false) || in_force(true));
    ASSERT_TRUE(agent().start());
    EXPECT_TRUE(in_force(true));
}

} // namespace
} // namespace system_test
