// SPDX-License-Identifier: Apache-2.0
#include "fault_scene.h"
#include "lab/process.h"

#include <cstring>
#include <fmt/format.h>

using namespace ebpfd;
using faults::Ending;

// Each call to the kernel of an apply fails, or is the last one: a policy is in force as a whole,
// the one that apply says, and the next apply makes it the wanted one.
class ApplyFault : public FaultScene {
protected:
    void fail_each_call(uint64_t stride, const std::function<int(uint64_t number)>& reason)
    {
        inside([&] {
            learn_answers();
            const auto datapath = value_of(open());
            ASSERT_TRUE(datapath->apply(first()));
            for_each_call(stride, [&](uint64_t number) {
                SCOPED_TRACE(fmt::format("{}: {}", number, strerrorname_np(reason(number))));
                const bool hit = fail_call(*datapath, number, reason(number));
                expect_both_can_be_applied(*datapath);
                return hit;
            });
        });
    }
    // Whether it came to that call.
    bool fail_call(Datapath& datapath, uint64_t number, int reason) const
    {
        const uint32_t generation = datapath.generation();
        faults::arm(number, Ending::fail, faults::Whose::all, reason);
        const auto applied = datapath.apply(second());
        (void)datapath.settle();
        const bool hit = faults::disarm();
        if (applied) {
            EXPECT_EQ(datapath.generation(), generation + 1);
            EXPECT_EQ(answers(), second_);
            if (applied->warnings.empty()) {
                EXPECT_EQ(enforced(), endpoints_of(second_));
            }
        } else {
            EXPECT_EQ(applied.error().code, reason) << applied.error().message;
            EXPECT_NE(applied.error().message.find(strerror(reason)), std::string::npos)
                << applied.error().message;
            EXPECT_EQ(datapath.generation(), generation);
            expect_in_force(first_);
        }
        return hit;
    }
    void expect_both_can_be_applied(Datapath& datapath) const
    {
        EXPECT_TRUE(datapath.apply(second()));
        expect_in_force(second_);
        EXPECT_TRUE(datapath.apply(first()));
        EXPECT_TRUE(datapath.settle());
        expect_in_force(first_);
    }
};

TEST_P(ApplyFault, ACallThatFailsLeavesOnePolicyInForce)
{
    fail_each_call(1, [](uint64_t) { return ENOMEM; });
}

TEST_P(ApplyFault, WhateverTheReasonIs)
{
    const uint64_t rounds = tries_all() ? faults::other_reasons : 1;
    for (uint64_t round = 0; round < rounds; ++round)
        fail_each_call(5, [&](uint64_t number) { return faults::other_reason(number + round); });
}

TEST_P(ApplyFault, ACrashLeavesOnePolicyInForce)
{
    inside([&] {
        learn_answers();
        uint32_t generation = value_of(open())->generation();
        for_each_call(9, [&](uint64_t number) {
            SCOPED_TRACE(number);
            const bool hit = crashes([&] {
                const auto datapath = value_of(open());
                faults::arm(number, Ending::crash);
                (void)datapath->apply(second());
                (void)datapath->settle();
            });
            const auto left = answers();
            EXPECT_TRUE(left == first_ || left == second_) << testing::PrintToString(left);
            const auto datapath = value_of(open());
            EXPECT_EQ(datapath->generation(), generation + (left == second_ ? 1 : 0));
            expect_adopted(left);
            expect_both_can_be_applied(*datapath);
            generation = datapath->generation();
            return hit;
        });
    });
}

// Links take the place of filters in the background.
class HandOverFault : public ApplyFault {};

TEST_P(HandOverFault, ACallThatFailsLeavesInterfacesEnforced)
{
    inside([&] {
        learn_answers();
        for_each_call(7, [&](uint64_t number) {
            SCOPED_TRACE(number);
            auto datapath = value_of(open());
            EXPECT_TRUE(datapath->apply(second()));
            faults::arm(number, Ending::fail, faults::Whose::others);
            EXPECT_TRUE(lab::eventually([&] { return faults::came() || is_linked("api"); }));
            expect_in_force(second_);
            const bool hit = faults::disarm();
            EXPECT_TRUE(datapath->settle());
            datapath.reset();
            datapath = value_of(open());
            EXPECT_TRUE(lab::eventually([&] { return is_linked("api"); }));
            expect_both_can_be_applied(*datapath);
            return hit;
        });
    });
}

INSTANTIATE_TEST_SUITE_P(Faults, ApplyFault,
                         testing::Values(AttachMode::automatic, AttachMode::clsact), mode_name);
INSTANTIATE_TEST_SUITE_P(Faults, HandOverFault, testing::Values(AttachMode::automatic), mode_name);
