// SPDX-License-Identifier: Apache-2.0
#include "bpffs.h"
#include "kernel/raw_map.h"

#include <array>
#include <bpf/bpf.h>
#include <vector>

using namespace ebpfd;

namespace {

constexpr int16_t room = sizeof(event) + 8; // on the program's stack, of 512 bytes

// A program that puts a record of some zero bytes, the first of them given, into a ring.
class Producer {
public:
    Producer(int ring, int32_t size, int32_t first_word)
    {
        std::vector<bpf_insn> code;
        for (int16_t offset = -room; offset < 0; offset = static_cast<int16_t>(offset + 8))
            code.push_back({BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, offset, 0});
        code.push_back({BPF_ST | BPF_MEM | BPF_W, BPF_REG_10, 0, -room, first_word});
        code.push_back({BPF_LD | BPF_DW | BPF_IMM, BPF_REG_1, BPF_PSEUDO_MAP_FD, 0, ring});
        code.push_back({});
        code.push_back({BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_2, BPF_REG_10, 0, 0});
        code.push_back({BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_2, 0, 0, -room});
        code.push_back({BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_3, 0, 0, size});
        code.push_back({BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_4, 0, 0, 0});
        code.push_back({BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_ringbuf_output});
        code.push_back({BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0});
        code.push_back({BPF_JMP | BPF_EXIT, 0, 0, 0, 0});
        program_ = Fd(bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "producer", "GPL", code.data(),
                                    code.size(), nullptr));
    }
    void run() const
    {
        std::array<char, 64> packet{};
        LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = packet.data(),
                    .data_size_in = packet.size(), .repeat = 1);
        ASSERT_EQ(bpf_prog_test_run_opts(program_.get(), &options), 0);
    }

private:
    Fd program_;
};

constexpr std::chrono::milliseconds soon{10};

class RingsTest : public testing::Test {
protected:
    void SetUp() override
    {
        datapath_ = open_datapath(bpffs_);
        ASSERT_TRUE(datapath_);
        refusals_ = value_of(RawMap::open_pinned(bpffs_.maps(), "refusal_ring"));
        flows_ = value_of(RawMap::open_pinned(bpffs_.maps(), "flow_ring"));
    }
    std::vector<std::pair<ring, uint64_t>> drain()
    {
        std::vector<std::pair<ring, uint64_t>> got;
        const auto count = datapath_->drain(soon, [&](ring which, const event& record) {
            got.emplace_back(which, record.time_ns);
        });
        EXPECT_EQ(value_of(count), got.size());
        return got;
    }

    Bpffs bpffs_;
    std::unique_ptr<Datapath> datapath_;
    RawMap refusals_;
    RawMap flows_;
};

} // namespace

TEST_F(RingsTest, RefusalsComeFirst)
{
    const Producer flows(flows_.fd(), sizeof(event), 7);
    flows.run();
    flows.run();
    Producer(refusals_.fd(), sizeof(event), 9).run();
    const std::vector<std::pair<ring, uint64_t>> expected{
        {RING_REFUSALS, 9}, {RING_FLOWS, 7}, {RING_FLOWS, 7}};
    EXPECT_EQ(drain(), expected);
    EXPECT_TRUE(drain().empty());
}

TEST_F(RingsTest, FloodOfOthersKeepsNoRefusalWaiting)
{
    constexpr size_t records = 3000;
    const Bpffs roomy;
    auto options = small_options(roomy);
    options.capacities.flow_ring = 1 << 20;
    const auto datapath = value_of(Datapath::open(options));
    const auto flow_ring = value_of(RawMap::open_pinned(roomy.maps(), "flow_ring"));
    const auto refusal_ring = value_of(RawMap::open_pinned(roomy.maps(), "refusal_ring"));
    const Producer flows(flow_ring.fd(), sizeof(event), 7);
    const Producer refusals(refusal_ring.fd(), sizeof(event), 9);
    for (size_t i = 0; i < records; i++)
        flows.run();
    size_t taken = 0, taken_before_refusal = 0;
    const auto count = datapath->drain(soon, [&](ring which, const event&) {
        if (taken++ == 0)
            refusals.run(); // while the others are read
        if (which == RING_REFUSALS)
            taken_before_refusal = taken;
    });
    EXPECT_EQ(value_of(count), records + 1);
    EXPECT_GT(taken_before_refusal, 0u);
    EXPECT_LT(taken_before_refusal, records / 2);
}

TEST_F(RingsTest, RecordsOfAnotherSizeAreSkippedAndCounted)
{
    Producer(flows_.fd(), sizeof(event) - 8, 1).run();
    Producer(flows_.fd(), sizeof(event) + 8, 2).run();
    Producer(flows_.fd(), sizeof(event), 3).run();
    const std::vector<std::pair<ring, uint64_t>> expected{{RING_FLOWS, 3}};
    EXPECT_EQ(drain(), expected);
    EXPECT_EQ(datapath_->unreadable(), 2u);
}
