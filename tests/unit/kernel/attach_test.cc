// SPDX-License-Identifier: Apache-2.0
#include "bpffs.h"
#include "kernel/clsact.h"
#include "kernel/filters.h"
#include "kernel/hook.h"
#include "kernel/owned.h"
#include "kernel/raw_map.h"
#include "kernel/route_socket.h"
#include "kernel/tc_batch.h"
#include "lab/kernel.h"
#include "lab/netns.h"
#include "lab/packet.h"
#include "lab/process.h"
#include "lab/wire.h"
#include "plans.h"
#include "pod_interface.h"

#include <bpf/bpf.h>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <gmock/gmock.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

using namespace ebpfd;

namespace {

class Attach : public OnPodInterface {
protected:
    std::string link(const std::string& hook) const
    {
        return bpffs_.path() + "/links/" + std::to_string(ifindex_) + "-" + hook;
    }
    Fd program(const std::string& name) const
    {
        return Fd(bpf_obj_get((bpffs_.path() + "/progs/" + name).c_str()));
    }
    // All that the pod sent and that was judged, whatever came of it.
    uint64_t egress_packets() const
    {
        uint64_t packets = 0;
        const auto counters = value_of(read_maps(bpffs_)->counters(0));
        for (uint32_t row = COUNTERS_PER_ENDPOINT / 2; row < COUNTERS_PER_ENDPOINT; ++row)
            packets += counters.row[row].packets;
        return packets;
    }
    // The program a pinned link runs, and the interface it is on.
    std::pair<uint32_t, uint32_t> link_target(const std::string& hook) const
    {
        const Fd pinned(bpf_obj_get(link(hook).c_str()));
        bpf_link_info info{};
        uint32_t size = sizeof(info);
        bpf_obj_get_info_by_fd(pinned.get(), &info, &size);
        return {info.prog_id, info.xdp.ifindex};
    }
    std::vector<TcFilter> filters(const Hook& hook) const
    {
        return value_of(filters_at(ifindex_, hook));
    }
    // Whether links run the programs alone, which takes them a quiet moment.
    bool is_linked() const
    {
        return link_target("ingress") == std::pair(program_id("from_pod"), ifindex_) &&
               link_target("egress") == std::pair(program_id("to_pod"), ifindex_) &&
               filters(HOOKS[0]).empty() && filters(HOOKS[1]).empty();
    }
    bool becomes_linked() const
    {
        return lab::eventually([&] { return is_linked(); });
    }
    using Ids = std::vector<uint32_t>;
    Ids programs_at(const Hook& hook) const
    {
        Ids ids;
        for (const auto& filter : filters(hook))
            ids.push_back(filter.program);
        return ids;
    }
    // A program of nobody's, which lets everything go on to the next filter.
    Fd foreign_program() const
    {
        const bpf_insn code[] = {{BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, -1},
                                 {BPF_JMP | BPF_EXIT, 0, 0, 0, 0}};
        return Fd(bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "foreign", "GPL", code, 2, nullptr));
    }
    // Whether there was none: the kernel says no to a second one.
    bool add_qdisc() const
    {
        LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = static_cast<int>(ifindex_),
                    .attach_point =
                        static_cast<bpf_tc_attach_point>(BPF_TC_INGRESS | BPF_TC_EGRESS));
        return bpf_tc_hook_create(&hook) == 0;
    }
    void remove_qdisc() const
    {
        LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = static_cast<int>(ifindex_),
                    .attach_point =
                        static_cast<bpf_tc_attach_point>(BPF_TC_INGRESS | BPF_TC_EGRESS));
        ASSERT_EQ(bpf_tc_hook_destroy(&hook), 0);
    }
    void add_ingress_qdisc() const
    {
        const auto socket = open_route_socket();
        ASSERT_TRUE(socket);
        std::array<char, 256> bytes{};
        nlmsghdr* message = mnl_nlmsg_put_header(bytes.data());
        message->nlmsg_type = RTM_NEWQDISC;
        message->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
        auto& body = *static_cast<tcmsg*>(mnl_nlmsg_put_extra_header(message, sizeof(tcmsg)));
        body.tcm_ifindex = static_cast<int>(ifindex_);
        body.tcm_handle = TC_H_MAKE(TC_H_INGRESS, 0);
        body.tcm_parent = TC_H_INGRESS;
        mnl_attr_put_strz(message, TCA_KIND, "ingress");
        ASSERT_GT(mnl_socket_sendto(socket->get(), message, message->nlmsg_len), 0);
        const auto length = mnl_socket_recvfrom(socket->get(), bytes.data(), bytes.size());
        ASSERT_EQ(mnl_cb_run(bytes.data(), static_cast<size_t>(length), 0, 0, nullptr, nullptr),
                  MNL_CB_STOP);
    }
    void add_foreign_filter(const Fd& program, uint32_t handle = 1) const
    {
        ASSERT_TRUE(add_qdisc());
        LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = static_cast<int>(ifindex_),
                    .attach_point = BPF_TC_INGRESS);
        LIBBPF_OPTS(bpf_tc_opts, options, .prog_fd = program.get(), .handle = handle,
                    .priority = 1);
        ASSERT_EQ(bpf_tc_attach(&hook, &options), 0);
    }
};

// What needs TCX links: tests/vm leaves these out on kernels without them.
class AttachTcx : public Attach {};

class AttachEither : public Attach, public testing::WithParamInterface<AttachMode> {};

INSTANTIATE_TEST_SUITE_P(Modes, AttachEither, testing::Values(AttachMode::tcx, AttachMode::clsact),
                         [](const auto& mode) {
                             return mode.param == AttachMode::tcx ? "tcx" : "clsact";
                         });

} // namespace

TEST_F(Attach, AutomaticTakesTheBestThatThisKernelHas)
{
    inside([&] {
        const auto datapath = start(AttachMode::automatic);
        ASSERT_TRUE(datapath);
        EXPECT_EQ(datapath->attach_mode(), lab::kernel_has_tcx() ? "tcx" : "clsact");
        EXPECT_TRUE(value_of(datapath->apply(plan())).warnings.empty());
        for (const auto& hook : HOOKS) {
            ASSERT_EQ(filters(hook).size(), 1u);
            EXPECT_EQ(filters(hook)[0].program, program_id(hook.program));
        }
    });
}

TEST_F(AttachTcx, FiltersJudgeAtOnceAndLinksTakeOver)
{
    inside([&] {
        const auto datapath = start(AttachMode::tcx);
        ASSERT_TRUE(datapath);
        EXPECT_TRUE(value_of(datapath->apply(plan())).warnings.empty());
        for (const auto& hook : HOOKS) {
            ASSERT_EQ(filters(hook).size(), 1u);
            EXPECT_EQ(filters(hook)[0].program, program_id(hook.program));
        }
        EXPECT_TRUE(becomes_linked());
        // The qdisc stays until detach: packets are lost whenever one comes or goes.
        EXPECT_FALSE(add_qdisc());
        ASSERT_TRUE(datapath->apply({}));
        EXPECT_TRUE(add_qdisc());
    });
}

TEST_F(AttachTcx, EveryPacketIsJudgedOnceWhileLinksTakeOver)
{
    inside([&] {
        for (const char* end : {"web", "pod"})
            ASSERT_TRUE(netns_->sysctl(fmt::format("ipv6/conf/{}/disable_ipv6", end), "1"));
        const auto datapath = start(AttachMode::tcx);
        ASSERT_TRUE(datapath->apply(plan()));
        const auto frame = lab::Packet{}.eth().ipv4("10.1.0.10", "10.1.0.20").udp(7, 9).bytes();
        const lab::Wire pod(std::string("pod"));
        uint64_t sent = 0;
        const auto send_one = [&] { sent += pod.send(frame) ? 1 : 0; };
        EXPECT_TRUE(lab::eventually([&] {
            for (int i = 0; i < 1000; ++i)
                send_one();
            return is_linked();
        }));
        uint64_t judged = 0;
        EXPECT_TRUE(lab::eventually([&] { return (judged = egress_packets()) >= sent; }));
        EXPECT_EQ(judged, sent);
    });
}

TEST_F(AttachTcx, AForeignLinkThatLetsPacketsByComesBehindOurs)
{
    inside([&] {
        const bpf_insn code[] = {{BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0}, // TCX_PASS
                                 {BPF_JMP | BPF_EXIT, 0, 0, 0, 0}};
        const Fd passes(bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "passes", "GPL", code, 2, nullptr));
        const Fd foreign(
            bpf_link_create(passes.get(), static_cast<int>(ifindex_), HOOKS[0].tcx, nullptr));
        ASSERT_TRUE(foreign);
        const auto datapath = start(AttachMode::tcx);
        ASSERT_TRUE(datapath->apply(plan()));
        ASSERT_TRUE(becomes_linked());
        const uint64_t before = egress_packets();
        const lab::Wire pod(std::string("pod"));
        ASSERT_TRUE(pod.send(lab::Packet{}.eth().ipv4("10.1.0.10", "10.1.0.20").udp(7, 9).bytes()));
        EXPECT_TRUE(lab::eventually([&] { return egress_packets() > before; }));
    });
}

TEST_F(AttachTcx, AnInterruptedHandoverIsCompleted)
{
    inside([&] {
        auto datapath = start(AttachMode::tcx);
        ASSERT_TRUE(datapath->apply(plan()));
        ASSERT_TRUE(becomes_linked());
        datapath.reset();
        // As if that agent had ended when one hook was done and the other one had begun.
        datapath = start(AttachMode::clsact);
        ASSERT_TRUE(datapath);
        const Fd link(bpf_link_create(program("clear_mark").get(), static_cast<int>(ifindex_),
                                      HOOKS[0].tcx, nullptr));
        ASSERT_EQ(bpf_obj_pin(link.get(), this->link("ingress").c_str()), 0);
        datapath.reset();
        datapath = start(AttachMode::tcx);
        EXPECT_TRUE(becomes_linked());
    });
}

TEST_F(AttachTcx, ARestartReplacesTheProgramsOfLinks)
{
    inside([&] {
        auto datapath = start(AttachMode::tcx);
        ASSERT_TRUE(datapath->apply(plan()));
        ASSERT_TRUE(becomes_linked());
        const uint32_t before = program_id("from_pod");
        datapath.reset();
        datapath = start(AttachMode::tcx);
        ASSERT_TRUE(datapath);
        EXPECT_NE(program_id("from_pod"), before);
        EXPECT_TRUE(is_linked());
    });
}

TEST_F(AttachTcx, AVanishedEndpointLosesItsLinks)
{
    inside([&] {
        const auto datapath = start(AttachMode::tcx);
        ASSERT_TRUE(datapath->apply(plan()));
        ASSERT_TRUE(becomes_linked());
        Plan empty;
        EXPECT_TRUE(value_of(datapath->apply(empty)).warnings.empty());
        EXPECT_FALSE(std::filesystem::exists(link("ingress")));
        EXPECT_FALSE(std::filesystem::exists(link("egress")));
    });
}

TEST_P(AttachEither, AVanishedInterfaceIsNoError)
{
    inside([&] {
        const auto datapath = start(GetParam());
        ASSERT_TRUE(datapath->apply(plan()));
        ASSERT_TRUE(netns_->ip("link delete web\n"));
        EXPECT_TRUE(value_of(datapath->apply({})).warnings.empty());
    });
}

TEST_F(AttachTcx, AnInterfaceThatComesLaterIsTriedAgain)
{
    inside([&] {
        const auto datapath = start(AttachMode::tcx);
        Plan later = plan();
        later.endpoints.edit(0).ifindex = 4711;
        EXPECT_EQ(value_of(datapath->apply(later)).warnings.size(), 1u);
        ASSERT_TRUE(netns_->ip("link add late index 4711 type veth peer name late-pod\n"));
        const auto report = value_of(datapath->apply(later));
        EXPECT_EQ(report.changes, 0u);
        EXPECT_TRUE(report.warnings.empty());
        EXPECT_TRUE(lab::eventually(
            [&] { return std::filesystem::exists(bpffs_.path() + "/links/4711-egress"); }));
    });
}

TEST_F(Attach, ClsactFiltersComeAndGoWithTheirQdisc)
{
    inside([&] {
        const auto datapath = start(AttachMode::clsact);
        EXPECT_EQ(datapath->attach_mode(), "clsact");
        EXPECT_TRUE(value_of(datapath->apply(plan())).warnings.empty());
        for (const auto& hook : HOOKS) {
            ASSERT_EQ(filters(hook).size(), 1u);
            EXPECT_EQ(filters(hook)[0].program, program_id(hook.program));
            EXPECT_EQ(filters(hook)[0].priority, 1u);
        }
        ASSERT_TRUE(datapath->apply({}));
        EXPECT_TRUE(filters(HOOKS[0]).empty());
        add_foreign_filter(foreign_program()); // the qdisc is gone: it can be made
    });
}

TEST_P(AttachEither, WhatOthersRemoveIsFoundAndPutBack)
{
    inside([&] {
        const auto datapath = start(GetParam());
        ASSERT_TRUE(datapath);
        value_of(datapath->apply(plan()));
        const bool links = GetParam() == AttachMode::tcx;
        ASSERT_TRUE(!links || becomes_linked());
        EXPECT_TRUE(datapath->find_lost({}).empty());
        links ? (void)std::filesystem::remove(link("egress")) : remove_qdisc();
        EXPECT_EQ(datapath->find_lost({}), (std::map<uint32_t, std::string>{{ifindex_, "web"}}));
        EXPECT_TRUE(value_of(datapath->apply(plan())).warnings.empty());
        EXPECT_TRUE(datapath->find_lost({}).empty());
        EXPECT_TRUE(links ? becomes_linked() : filters(HOOKS[1]).size() == 1);
    });
}

TEST_F(Attach, ARestartReplacesClsactFiltersInPlace)
{
    inside([&] {
        auto datapath = start(AttachMode::clsact);
        ASSERT_TRUE(datapath->apply(plan()));
        datapath.reset();
        datapath = start(AttachMode::clsact);
        ASSERT_TRUE(datapath);
        for (const auto& hook : HOOKS) {
            ASSERT_EQ(filters(hook).size(), 1u);
            EXPECT_EQ(filters(hook)[0].program, program_id(hook.program));
        }
    });
}

TEST_F(Attach, AForeignFilterSurvives)
{
    inside([&] {
        const Fd foreign = foreign_program();
        add_foreign_filter(foreign);
        const auto theirs = filters(HOOKS[0]).at(0).program;
        const auto datapath = start(AttachMode::clsact);
        ASSERT_TRUE(datapath->apply(plan()));
        const auto both = filters(HOOKS[0]);
        ASSERT_EQ(both.size(), 2u);
        EXPECT_EQ(both[0].program, theirs);
        EXPECT_EQ(both[1].program, program_id("from_pod"));
        ASSERT_TRUE(Datapath::detach(bpffs_.path()));
        const auto left = filters(HOOKS[0]);
        ASSERT_EQ(left.size(), 1u);
        EXPECT_EQ(left[0].program, theirs);
    });
}

TEST_F(Attach, AnInterfaceWithAForeignFilterIsClosedBehindIt)
{
    inside([&] {
        add_foreign_filter(foreign_program());
        const auto theirs = filters(HOOKS[0]).at(0).program;
        const auto datapath = start(AttachMode::clsact);
        ASSERT_TRUE(datapath->shut(ifindex_));
        EXPECT_EQ(programs_at(HOOKS[0]), (Ids{theirs, program_id("closed")}));
        EXPECT_EQ(programs_at(HOOKS[1]), Ids{program_id("closed")});
        ASSERT_TRUE(datapath->apply(plan()));
        ASSERT_TRUE(datapath->shut(ifindex_));
        EXPECT_EQ(programs_at(HOOKS[0]), (Ids{theirs, program_id("from_pod")}));
        EXPECT_EQ(programs_at(HOOKS[1]), Ids{program_id("to_pod")});
    });
}

// The handle that closing takes is free, and what judges is elsewhere.
TEST_F(Attach, WhatJudgesBehindAForeignFilterStays)
{
    inside([&] {
        add_foreign_filter(foreign_program(), 2);
        const auto theirs = filters(HOOKS[0]).at(0).program;
        const auto datapath = start(AttachMode::clsact);
        ASSERT_TRUE(datapath->apply(plan()));
        ASSERT_EQ(programs_at(HOOKS[0]), (Ids{theirs, program_id("from_pod")}));
        ASSERT_TRUE(datapath->shut(ifindex_));
        EXPECT_EQ(programs_at(HOOKS[0]), (Ids{theirs, program_id("from_pod")}));
        EXPECT_EQ(programs_at(HOOKS[1]), Ids{program_id("to_pod")});
    });
}

// Closed at the first place meanwhile.
TEST_F(Attach, WhatJudgesBehindAForeignFilterStaysOnANewInterface)
{
    inside([&] {
        add_foreign_filter(foreign_program(), 2);
        const auto theirs = filters(HOOKS[0]).at(0).program;
        const auto datapath = start(AttachMode::clsact);
        ASSERT_TRUE(datapath->shut_newcomer(ifindex_));
        EXPECT_EQ(programs_at(HOOKS[0]), (Ids{theirs, program_id("closed")}));
        EXPECT_NE(filters(HOOKS[0]).at(0).priority, filters(HOOKS[0]).at(1).priority);
        ASSERT_TRUE(datapath->apply(plan()));
        ASSERT_TRUE(datapath->shut_newcomer(ifindex_));
        EXPECT_EQ(programs_at(HOOKS[0]), (Ids{theirs, program_id("from_pod")}));
        EXPECT_EQ(programs_at(HOOKS[1]), Ids{program_id("to_pod")});
    });
}

// An agent has ended between closing an interface and finding out that it was judged.
TEST_F(Attach, OneFilterOfOursIsLeft)
{
    inside([&] {
        add_foreign_filter(foreign_program(), 2);
        const auto theirs = filters(HOOKS[0]).at(0).program;
        {
            const auto datapath = start(AttachMode::clsact);
            ASSERT_TRUE(datapath->apply(plan()));
        }
        const Fd closed(bpf_obj_get((bpffs_.path() + "/progs/closed").c_str()));
        ASSERT_TRUE(add_qdisc_and_filters(ifindex_, closed));
        ASSERT_EQ(filters(HOOKS[0]).size(), 3u);
        const auto datapath = start(AttachMode::clsact);
        EXPECT_EQ(filters(HOOKS[0]).size(), 2u);
        EXPECT_THAT(programs_at(HOOKS[0]),
                    testing::UnorderedElementsAre(theirs, program_id("from_pod")));
        EXPECT_EQ(programs_at(HOOKS[1]), Ids{program_id("to_pod")});
    });
}

// Such as that of CNI's bandwidth plugin. It has one list of filters for both hooks.
TEST_F(Attach, BesideAnIngressQdiscFiltersJudgeOnlyWhatThePodSends)
{
    inside([&] {
        add_ingress_qdisc();
        const auto datapath = start(AttachMode::clsact);
        EXPECT_EQ(datapath->shut_newcomer(ifindex_).error().code, EOPNOTSUPP);
        EXPECT_EQ(programs_at(HOOKS[0]), Ids{program_id("closed")});
        const auto warnings = value_of(datapath->apply(plan())).warnings;
        ASSERT_EQ(warnings.size(), 1u);
        EXPECT_THAT(warnings[0], testing::HasSubstr("ingress qdisc"));
        EXPECT_EQ(programs_at(HOOKS[0]), Ids{program_id("from_pod")});
    });
}

TEST_F(AttachTcx, BesideAnIngressQdiscLinksJudgeFromTheFirst)
{
    inside([&] {
        add_ingress_qdisc();
        const auto datapath = start(AttachMode::tcx);
        EXPECT_TRUE(value_of(datapath->apply(plan())).warnings.empty());
        EXPECT_TRUE(is_linked());
        EXPECT_TRUE(value_of(datapath->apply(plan())).warnings.empty());
    });
}

TEST_F(Attach, AnotherAgentsFilterIsForeign)
{
    inside([&] {
        const auto first = start(AttachMode::clsact);
        ASSERT_TRUE(first->apply(plan()));
        Bpffs other;
        const auto second = open_datapath(other);
        EXPECT_TRUE(Ownership(Pins{bpffs_.path()}).owns(program_id("from_pod")));
        EXPECT_FALSE(Ownership(Pins{other.path()}).owns(program_id("from_pod")));
        ASSERT_TRUE(Datapath::detach(other.path()));
        EXPECT_EQ(filters(HOOKS[0]).size(), 1u);
    });
}

TEST_F(AttachTcx, ARestartInAnotherModeMovesOver)
{
    inside([&] {
        auto datapath = start(AttachMode::clsact);
        ASSERT_TRUE(datapath->apply(plan()));
        datapath.reset();
        datapath = start(AttachMode::tcx);
        EXPECT_EQ(filters(HOOKS[0]).size(), 1u); // no moment without a program
        EXPECT_TRUE(becomes_linked());
        datapath.reset();
        datapath = start(AttachMode::clsact);
        EXPECT_EQ(filters(HOOKS[1]).size(), 1u);
        EXPECT_FALSE(std::filesystem::exists(link("egress")));
    });
}

TEST_P(AttachEither, DetachTakesLinksAndFiltersAway)
{
    inside([&] {
        const auto datapath = start(GetParam());
        ASSERT_TRUE(datapath->apply(plan()));
        ASSERT_TRUE(GetParam() == AttachMode::clsact || becomes_linked());
        ASSERT_TRUE(Datapath::detach(bpffs_.path()));
        EXPECT_TRUE(filters(HOOKS[0]).empty());
        EXPECT_TRUE(add_qdisc()) << "theirs has gone, too";
        EXPECT_FALSE(std::filesystem::exists(bpffs_.path()));
    });
}
