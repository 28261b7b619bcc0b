// SPDX-License-Identifier: Apache-2.0
#include "bpffs.h"
#include "kernel/programs.h"
#include "lab/kernel.h"
#include "lab/netns.h"
#include "lab/process.h"
#include "plans.h"

#include <algorithm>
#include <array>
#include <bpf/bpf.h>
#include <cerrno>
#include <linux/bpf.h>
#include <net/if.h>

using namespace ebpfd;

namespace {

class OurPrograms : public testing::Test {
protected:
    void SetUp() override
    {
        auto netns = lab::NetNamespace::create("programs");
        ASSERT_TRUE(netns) << netns.error().message;
        netns_ = std::move(*netns);
        ASSERT_TRUE(netns_->ip("link add web type veth peer name pod\n"));
    }
    // A datapath whose programs are on "web", which is in that namespace.
    void start(AttachMode mode)
    {
        netns_->enter([&] {
            auto options = small_options(bpffs_);
            options.attach = mode;
            datapath_ = value_of(Datapath::open(options));
            ASSERT_TRUE(datapath_);
            Plan plan = web_plan();
            plan.endpoints.edit(0).ifindex = if_nametoindex("web");
            EXPECT_TRUE(value_of(datapath_->apply(plan)).warnings.empty());
        });
    }
    ProgramStatistics statistics() const
    {
        ProgramStatistics statistics;
        netns_->enter([&] { statistics = value_of(program_statistics(bpffs_.path())); });
        return statistics;
    }
    LoadedProgram program(const std::string& name) const
    {
        const auto all = statistics().programs;
        const auto found = std::ranges::find(all, name, &LoadedProgram::name);
        if (found != all.end())
            return *found;
        ADD_FAILURE() << "no program " << name;
        return {};
    }
    uint32_t count(const std::string& name, const std::string& kind) const
    {
        const auto attached = program(name).attached;
        const auto found = std::ranges::find(attached, kind, &ProgramPlaces::kind);
        return found == attached.end() ? 0 : found->count;
    }
    // Runs a program that is pinned, on frames that nobody sends.
    void run(const std::string& name, int times) const
    {
        const Fd fd(bpf_obj_get((bpffs_.path() + "/progs/" + name).c_str()));
        std::array<char, 64> frame{};
        LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame.data(),
                    .data_size_in = frame.size(), .repeat = times);
        ASSERT_EQ(bpf_prog_test_run_opts(fd.get(), &options), 0);
    }

    std::optional<lab::NetNamespace> netns_;
    Bpffs bpffs_;
    std::unique_ptr<Datapath> datapath_;
};

} // namespace

TEST_F(OurPrograms, AreFoundWithAndWithoutAnAgent)
{
    start(AttachMode::clsact);
    const auto with = program("from_pod");
    EXPECT_EQ(count("from_pod", "clsact"), 1u);
    EXPECT_EQ(count("to_pod", "clsact"), 1u);
    EXPECT_TRUE(program("trace_packet").attached.empty());
    datapath_.reset();
    EXPECT_EQ(program("from_pod").id, with.id);
    EXPECT_EQ(count("from_pod", "clsact"), 1u);
}

TEST_F(OurPrograms, AreCountedWhereverTheyAre)
{
    start(AttachMode::automatic);
    const char* best = lab::kernel_has_tcx() ? "tcx" : "clsact";
    EXPECT_TRUE(lab::eventually([&] { return count("from_pod", best) == 1; }));
    EXPECT_TRUE(lab::eventually([&] { return count("to_pod", best) == 1; }));
}

TEST_F(OurPrograms, AreMissedWhereNothingIsPinned)
{
    const auto none = program_statistics(bpffs_.path());
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, ENOENT) << none.error().message;
}

TEST_F(OurPrograms, OfHooksHaveTheirFullNamesAndPlaces)
{
    struct Way {
        HookAttach by;
        const char* program;
        const char* kind;
    };
    start(AttachMode::clsact);
    int attached = 0;
    for (const auto& [by, name, kind] :
         {Way{HookAttach::tp_btf, "reset_received_tp_btf", "tp_btf tcp_receive_reset"},
          Way{HookAttach::fentry, "reset_received_fentry", "fentry"},
          Way{HookAttach::kprobe, "reset_received_kprobe", "kprobe"}}) {
        datapath_->attach_hooks({.names = {"tcp_reset_received"}, .attach = by});
        if (datapath_->hooks().front().attachment.empty())
            continue; // not on the running kernel
        EXPECT_EQ(count(name, kind), 1u) << kind;
        attached++;
    }
    EXPECT_GT(attached, 0);
}

TEST_F(OurPrograms, AreTimedWhileThatIsAskedFor)
{
    start(AttachMode::clsact);
    const auto before = program("to_pod");
    {
        const auto counting = value_of(count_runs());
        ASSERT_TRUE(counting);
        run("to_pod", 1000);
    }
    const auto after = program("to_pod");
    EXPECT_EQ(after.runs, before.runs + 1000);
    EXPECT_GT(after.nanoseconds, before.nanoseconds);
    EXPECT_EQ(program("from_pod").runs, 0u);
}

TEST_F(OurPrograms, AreNotThoseOfOthers)
{
    start(AttachMode::clsact);
    const Bpffs other;
    const auto others = value_of(Datapath::open(small_options(other)));
    ASSERT_TRUE(others);
    const auto id = program("from_pod").id;
    const auto theirs = value_of(program_statistics(other.path())).programs;
    EXPECT_FALSE(theirs.empty());
    EXPECT_EQ(std::ranges::count(theirs, id, &LoadedProgram::id), 0);
}
