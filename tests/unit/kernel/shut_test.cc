// SPDX-License-Identifier: Apache-2.0
#include "kernel/pinned.h"
#include "lab/wire.h"
#include "pod_interface.h"

#include <fmt/format.h>

using namespace ebpfd;

namespace {

using Ids = std::vector<uint32_t>;

class Shut : public OnPodInterface, public testing::WithParamInterface<AttachMode> {
protected:
    Ids closed() const { return {program_id("closed"), program_id("closed")}; }
    // Its interface has been replaced by another of that number since, which is closed.
    auto start_and_replace()
    {
        auto datapath = start(GetParam());
        EXPECT_TRUE(datapath->apply(plan()));
        EXPECT_TRUE(netns_->ip(fmt::format("link del web\n"
                                           "link add web index {} type veth peer name pod\n",
                                           ifindex_)));
        EXPECT_TRUE(datapath->shut(ifindex_));
        return datapath;
    }
    Ids judged() const { return {program_id("from_pod"), program_id("to_pod")}; }
};

INSTANTIATE_TEST_SUITE_P(Modes, Shut, testing::Values(AttachMode::automatic, AttachMode::clsact),
                         [](const auto& mode) {
                             return mode.param == AttachMode::clsact ? "clsact" : "automatic";
                         });

// The number is another interface's before the plan is in force, or while programs are put there.
class Replaced : public OnPodInterface,
                 public testing::WithParamInterface<std::tuple<AttachMode, Successor, int>> {
protected:
    void SetUp() override
    {
        OnPodInterface::SetUp();
        std::tie(mode_, successor_, looks_before_) = GetParam();
    }
    AttachMode mode_{};
    Successor successor_{};
    int looks_before_ = 0; // that find the interface still there
};
INSTANTIATE_TEST_SUITE_P(
    Modes, Replaced,
    testing::Combine(testing::Values(AttachMode::automatic, AttachMode::clsact),
                     testing::Values(Successor::pods, Successor::others), testing::Values(0, 1)),
    [](const auto& test) {
        return fmt::format("{}_{}_{}",
                           std::get<0>(test.param) == AttachMode::clsact ? "clsact" : "automatic",
                           std::get<1>(test.param) == Successor::pods ? "pods" : "others",
                           std::get<2>(test.param) == 0 ? "before" : "meanwhile");
    });

} // namespace

TEST_P(Shut, AnInterfaceIsClosedUntilItIsAttached)
{
    inside([&] {
        const auto datapath = start(GetParam());
        ASSERT_TRUE(datapath->shut(ifindex_));
        EXPECT_EQ(attached(), closed());
        ASSERT_TRUE(datapath->shut(ifindex_));
        EXPECT_EQ(attached(), closed());
        EXPECT_TRUE(value_of(datapath->apply(plan())).warnings.empty());
        EXPECT_EQ(attached(), judged());
    });
}

TEST_P(Shut, WhatAClosedInterfaceRefusesIsCounted)
{
    ASSERT_TRUE(netns_->sysctl("ipv6/conf/all/disable_ipv6", "1")); // it would talk by itself
    inside([&] {
        const auto datapath = start(GetParam());
        ASSERT_TRUE(datapath->shut(ifindex_));
        ASSERT_TRUE(netns_->ip("link set web up\nlink set pod up\n"));
        const lab::Bytes frame(64, 0xff);
        const lab::Wire pod("pod");
        const lab::Wire node("web");
        for (int i = 0; i < 3; ++i)
            ASSERT_TRUE(pod.send(frame));
        ASSERT_FALSE(node.send(frame)); // who sends by the interface itself is told
        const auto maps = PinnedMaps::open(bpffs_.path());
        ASSERT_TRUE(maps);
        const auto refused = [&](direction dir) { return value_of((*maps)->closed(dir)); };
        EXPECT_TRUE(lab::eventually([&] { return refused(DIRECTION_EGRESS).packets == 3; }));
        EXPECT_TRUE(lab::eventually([&] { return refused(DIRECTION_INGRESS).packets == 1; }));
        EXPECT_EQ(refused(DIRECTION_EGRESS).bytes, 3 * frame.size());
    });
}

TEST_P(Shut, WhatJudgesIsLeftAlone)
{
    inside([&] {
        const auto datapath = start(GetParam());
        ASSERT_TRUE(datapath->apply(plan()));
        ASSERT_TRUE(datapath->shut(ifindex_));
        EXPECT_EQ(attached(), judged());
    });
}

// Of an interface that came with the number of another one before anybody looked.
TEST_P(Shut, AnEndpointThatIsClosedHasLostItsPrograms)
{
    inside([&] {
        const auto datapath = start_and_replace();
        EXPECT_EQ(attached(), closed());
        EXPECT_EQ(datapath->find_lost({}).size(), 1u);
        ASSERT_TRUE(datapath->apply(plan()));
        EXPECT_EQ(attached(), judged());
    });
}

TEST_P(Shut, AnotherInterfaceOfThatNumberIsAnotherEndpoint)
{
    inside([&] {
        const auto datapath = start_and_replace();
        datapath->forget({ifindex_});
        EXPECT_TRUE(value_of(datapath->apply(plan())).endpoints_changed);
        EXPECT_EQ(attached(), judged());
        EXPECT_FALSE(value_of(datapath->apply(plan())).endpoints_changed);
    });
}

TEST_P(Shut, WhatIsClosedStaysSoWhenTheOneBeforeIsForgotten)
{
    inside([&] {
        const auto datapath = start_and_replace();
        datapath->forget({ifindex_});
        ASSERT_TRUE(datapath->apply(Plan{}));
        EXPECT_EQ(attached(), closed());
    });
}

TEST_P(Shut, AnInterfaceThatIsGoneIsAnError)
{
    inside([&] {
        const auto datapath = start(GetParam());
        ASSERT_TRUE(netns_->ip("link del web\n"));
        EXPECT_FALSE(datapath->shut(ifindex_));
    });
}

TEST_P(Replaced, AnInterfaceGetsNoProgramsMadeForTheOneBefore)
{
    inside([&] {
        const auto datapath = start(mode_);
        int looks = 0;
        datapath->ask_for_successors([&](uint32_t ifindex) {
            EXPECT_EQ(ifindex, ifindex_);
            return looks++ < looks_before_ ? Successor::none : successor_;
        });
        EXPECT_TRUE(value_of(datapath->apply(plan())).warnings.empty());
        EXPECT_EQ(looks, looks_before_ + 1);
        const bool is_closed = successor_ == Successor::pods && looks_before_ > 0;
        EXPECT_EQ(attached(), is_closed ? Ids(2, program_id("closed")) : Ids{});

        datapath->ask_for_successors([](uint32_t) { return Successor::none; });
        datapath->forget({ifindex_});
        EXPECT_TRUE(value_of(datapath->apply(plan())).endpoints_changed);
        EXPECT_EQ(attached(), Ids({program_id("from_pod"), program_id("to_pod")}));
    });
}

// While no agent runs.
TEST_P(Shut, AnInterfaceOfAnotherNameIsAnotherAtAStart)
{
    inside([&] {
        start(GetParam())->apply(plan());
        ASSERT_TRUE(netns_->ip(fmt::format("link del web\n"
                                           "link add shop index {} type veth peer name pod\n",
                                           ifindex_)));
        const auto datapath = start(GetParam());
        EXPECT_EQ(attached(), Ids{});
        auto next = plan();
        next.endpoints.edit(0).interface = "shop";
        EXPECT_TRUE(value_of(datapath->apply(next)).endpoints_changed);
        EXPECT_EQ(attached(), judged());
    });
}
