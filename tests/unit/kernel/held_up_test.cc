// SPDX-License-Identifier: Apache-2.0
#include "kernel/hook.h"
#include "kernel/map.h"
#include "kernel/pins.h"
#include "lab/packet.h"
#include "lab/process.h"
#include "lab/wire.h"
#include "pod_interface.h"

#include <bpf/bpf.h>
#include <cstddef>

using namespace ebpfd;

namespace {

// A packet that was judged once, under some generation, and comes to its second judgement now. What
// the first one leaves with it is written by a filter before ours.
class HeldUp : public OnPodInterface {
protected:
    void SetUp() override
    {
        OnPodInterface::SetUp();
        ASSERT_TRUE(netns_->sysctl("ipv6/conf/all/disable_ipv6", "1")); // it would talk by itself
        inside([this] {
            auto hook = hook_at(BPF_TC_INGRESS | BPF_TC_EGRESS);
            ASSERT_EQ(bpf_tc_hook_create(&hook), 0);
            judged_under(0);
        });
    }
    // From now on packets to the pod are, at the first place.
    void judged_under(uint32_t generation)
    {
        const auto word = static_cast<int32_t>(0x8000 | (generation & 0x7fff));
        const bpf_insn code[] = {
            {BPF_ALU | BPF_MOV | BPF_K, 2, 0, 0, word},
            {BPF_STX | BPF_MEM | BPF_W, 1, 2, offsetof(__sk_buff, tc_index), 0},
            {BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, -1}, // the next filter decides
            {BPF_JMP | BPF_EXIT, 0, 0, 0, 0}};
        const Fd program(
            bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "first", "GPL", code, std::size(code), nullptr));
        auto hook = hook_at(BPF_TC_EGRESS);
        LIBBPF_OPTS(bpf_tc_opts, options, .prog_fd = program.get(), .flags = BPF_TC_F_REPLACE,
                    .handle = 1, .priority = 1);
        ASSERT_EQ(bpf_tc_attach(&hook, &options), 0);
    }
    // Whether a new connection from db is let through to the pod.
    bool connects()
    {
        return lab::Wire("web").send(
            lab::Packet{}.eth().ipv4("10.1.0.20", "10.1.0.10").tcp(++port_, 80, TCP_SYN).bytes());
    }
    Plan plan_without_db() const
    {
        Plan other = plan();
        auto& set = other.rulesets.edit(0);
        set.key += ", nobody";
        set.peers.clear();
        return other;
    }

    // As the next change does, before it is in force: with no policy.
    void fill_slot(uint32_t generation)
    {
        const auto endpoints =
            Map<uint32_t, endpoint>::open_pinned(Pins{bpffs_.path()}.maps(), "endpoint_map");
        ASSERT_TRUE(endpoints);
        auto row = value_of(endpoints->lookup(ifindex_));
        ASSERT_TRUE(row);
        row->slot[generation & 1].ruleset[DIRECTION_INGRESS] = RULESET_NONE;
        ASSERT_TRUE(endpoints->update(ifindex_, *row));
    }

private:
    bpf_tc_hook hook_at(int points) const
    {
        LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = static_cast<int>(ifindex_),
                    .attach_point = static_cast<bpf_tc_attach_point>(points));
        return hook;
    }
    uint16_t port_ = 1000;
};

} // namespace

TEST_F(HeldUp, APacketIsJudgedUnderTheGenerationOfItsFirstJudgementUntilTheNextIsSettled)
{
    inside([&] {
        const auto datapath = start(AttachMode::clsact);
        ASSERT_TRUE(datapath->apply(plan()));
        const uint32_t before = datapath->generation();
        EXPECT_TRUE(connects());
        ASSERT_TRUE(datapath->apply(plan_without_db()));
        ASSERT_EQ(datapath->generation(), before + 1);
        EXPECT_FALSE(connects());
        judged_under(before);
        EXPECT_TRUE(connects());
        judged_under(before - 1);
        EXPECT_FALSE(connects());
        judged_under(before);
        ASSERT_TRUE(datapath->settle());
        fill_slot(before + 2);
        EXPECT_FALSE(connects());
    });
}
