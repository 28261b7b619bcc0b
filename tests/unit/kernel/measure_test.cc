// SPDX-License-Identifier: Apache-2.0
#include "bpffs.h"
#include "kernel/map.h"
#include "kernel/measure.h"
#include "kernel/trace_run.h"

#include <algorithm>
#include <array>
#include <bpf/bpf.h>
#include <linux/bpf.h>

using namespace ebpfd;

namespace {

class Measure : public testing::Test {
protected:
    void SetUp() override
    {
        datapath_ = open_datapath(bpffs_);
        ASSERT_TRUE(datapath_);
    }
    // Runs a pinned program on a frame that nobody sends.
    void run(const std::string& program)
    {
        const Fd fd(bpf_obj_get((bpffs_.path() + "/progs/" + program).c_str()));
        std::array<char, 64> frame{};
        LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame.data(),
                    .data_size_in = frame.size(), .repeat = 1);
        ASSERT_EQ(bpf_prog_test_run_opts(fd.get(), &options), 0);
    }
    ProgramRuns runs_of(const std::string& program)
    {
        for (const auto& runs : value_of(program_runs(bpffs_.path())))
            if (runs.program == program)
                return runs;
        ADD_FAILURE() << "no program " << program;
        return {};
    }

    Bpffs bpffs_;
    std::unique_ptr<Datapath> datapath_;
};

} // namespace

TEST_F(Measure, ProgramsAreTimedWhileTheKernelDoes)
{
    const Fd statistics(bpf_enable_stats(BPF_STATS_RUN_TIME));
    ASSERT_TRUE(statistics);
    const auto before = runs_of("to_pod");
    run("to_pod");
    const auto after = runs_of("to_pod");
    EXPECT_EQ(after.runs, before.runs + 1);
    EXPECT_GT(after.nanoseconds, before.nanoseconds);
}

TEST_F(Measure, RingsSayHowFullTheyAre)
{
    const auto fill = [&] {
        const auto rings = value_of(ring_fills(bpffs_.path()));
        const auto flows = std::ranges::find(rings, "flows", &RingFill::ring);
        EXPECT_NE(flows, rings.end());
        return *flows;
    };
    const auto ring = value_of(RawMap::open_pinned(bpffs_.maps(), "flow_ring"));
    EXPECT_EQ(fill().size_bytes, ring.capacity());
    EXPECT_EQ(fill().pending_bytes, 0u);

    const std::array<bpf_insn, 10> code{{
        {BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, -8, 0},
        {BPF_LD | BPF_DW | BPF_IMM, BPF_REG_1, BPF_PSEUDO_MAP_FD, 0, ring.fd()},
        {},
        {BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_2, BPF_REG_10, 0, 0},
        {BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_2, 0, 0, -8},
        {BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_3, 0, 0, 8},
        {BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_4, 0, 0, BPF_RB_NO_WAKEUP},
        {BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_ringbuf_output},
        {BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0},
        {BPF_JMP | BPF_EXIT, 0, 0, 0, 0},
    }};
    const Fd producer(bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "producer", "GPL", code.data(),
                                    code.size(), nullptr));
    std::array<char, 64> frame{};
    LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame.data(), .data_size_in = frame.size(),
                .repeat = 3);
    ASSERT_EQ(bpf_prog_test_run_opts(producer.get(), &options), 0);
    EXPECT_EQ(fill().pending_bytes, 3u * (BPF_RINGBUF_HDR_SZ + 8));
}

TEST_F(Measure, FlowsAreCountedByState)
{
    const auto add = [&](flow_class kind, flow_state state, verdict outcome = VERDICT_ALLOW) {
        flow value{};
        value.state = static_cast<uint8_t>(state);
        value.verdict = static_cast<uint8_t>(outcome);
        add_flow(bpffs_, {}, value, kind);
    };
    add(FLOW_ENTRY_LASTING, FLOW_ESTABLISHED);
    add(FLOW_ENTRY_PENDING, FLOW_ESTABLISHED); // its bucket had no room for it to last
    add(FLOW_ENTRY_CLOSED, FLOW_CLOSED);
    add(FLOW_ENTRY_PENDING, FLOW_NEW);
    add(FLOW_ENTRY_REFUSED, FLOW_NEW, VERDICT_DENY);
    const auto counts = value_of(count_flows(bpffs_.path()));
    EXPECT_EQ(counts.flows[FLOW_ESTABLISHED], 2u);
    EXPECT_EQ(counts.flows[FLOW_CLOSED], 1u);
    EXPECT_EQ(counts.flows[FLOW_NEW], 0u);
    EXPECT_EQ(counts.pending[FLOW_NEW], 1u);
    flow half_open{};
    half_open.state = FLOW_ESTABLISHED;
    half_open.tcp_flags[half_open.direction] = TCP_SYN;
    add_flow(bpffs_, {}, half_open, FLOW_ENTRY_PENDING);
    EXPECT_EQ(value_of(count_flows(bpffs_.path())).pending[FLOW_ESTABLISHED], 1u);
}
