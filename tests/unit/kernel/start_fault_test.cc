// SPDX-License-Identifier: Apache-2.0
#include "earlier_layout.h"
#include "fault_scene.h"

#include <bpf/libbpf.h>

using namespace ebpfd;
using faults::Ending;

namespace {

// Each call to the kernel of a start fails, or is the last one: the policy of the agent before
// stays in force as a whole, and the next start adopts it, with all that was counted.
class StartFault : public FaultScene {
protected:
    void try_all(uint64_t stride, const std::function<bool(uint64_t number)>& start)
    {
        inside([&] {
            learn_answers();
            for_each_call(stride, [&](uint64_t number) {
                SCOPED_TRACE(number);
                const bool hit = start(number);
                expect_in_force(first_);
                expect_next_start();
                return hit;
            });
        });
    }
    bool fail_at(uint64_t number, int reason = ENOMEM) const
    {
        faults::arm(number, Ending::fail, faults::Whose::all, reason);
        const auto datapath = open();
        const bool hit = faults::disarm();
        EXPECT_TRUE(datapath || !datapath.error().message.empty());
        return hit;
    }
    bool crash_at(uint64_t number) const
    {
        return crashes([&] {
            faults::arm(number, Ending::crash);
            (void)open();
        });
    }
    void expect_counted() const
    {
        const uint64_t cpus = libbpf_num_possible_cpus() > 1 ? 2 : 1;
        const auto row = value_of(read_maps(bpffs_)->counters(7)).row[9];
        EXPECT_EQ(row.packets, cpus * (7 * COUNTERS_PER_ENDPOINT + 9));
    }

private:
    void expect_next_start() const
    {
        const auto datapath = open();
        ASSERT_TRUE(datapath) << datapath.error().message;
        expect_in_force(first_);
        const auto report = (*datapath)->apply(first());
        ASSERT_TRUE(report) << report.error().message;
        EXPECT_EQ(report->changes, 0u);
        expect_in_force(first_);
    }
};

} // namespace

TEST_P(StartFault, ACallThatFailsLeavesThePolicyInForce)
{
    try_all(61, [&](uint64_t number) { return fail_at(number); });
}

TEST_P(StartFault, WhateverTheReasonIs)
{
    try_all(47, [&](uint64_t number) { return fail_at(number, faults::other_reason(number)); });
}

TEST_P(StartFault, ACrashLeavesThePolicyInForce)
{
    try_all(61, [&](uint64_t number) { return crash_at(number); });
}

TEST_P(StartFault, AConversionThatFailsLeavesThePolicyInForce)
{
    uint64_t before = 0;
    try_all(61, [&](uint64_t number) {
        if (before++ > 0)
            expect_counted();
        make_counters_rows(bpffs_, 8);
        return fail_at(number);
    });
    expect_counted();
}

TEST_P(StartFault, AConversionThatCrashesLeavesThePolicyInForce)
{
    uint64_t before = 0;
    try_all(61, [&](uint64_t number) {
        if (before++ > 0)
            expect_counted();
        make_counters_rows(bpffs_, 8);
        return crash_at(number);
    });
    expect_counted();
}

INSTANTIATE_TEST_SUITE_P(Faults, StartFault,
                         testing::Values(AttachMode::automatic, AttachMode::clsact), mode_name);
