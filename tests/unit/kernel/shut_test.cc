// SPDX-License-Identifier: Apache-2.0
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
        EXPECT_EQ(datapath->find_lost().size(), 1u);
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
