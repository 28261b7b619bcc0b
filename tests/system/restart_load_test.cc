// SPDX-License-Identifier: Apache-2.0
#include "lab/environment.h"
#include "system/under_load.h"

#include <fmt/format.h>
#include <fmt/ostream.h>
#include <gmock/gmock.h>
#include <iostream>
#include <thread>

namespace system_test {
namespace {

using testing::ContainsRegex;

class RestartUnderLoad : public UnderLoad {
protected:
    // Ways in which an agent ends.
    void terminate() { EXPECT_EQ(agent().stop(), exit_ok); }
    void kill_idle() { kill_agent(); }
    // At any moment from the rename of a policy file on: reading, compiling, between two calls of
    // the change, right after it, or while the one before is settled.
    void kill_in_apply()
    {
        const PolicyFile changed = change(++changes_);
        replace_file(agent().policies() / changed.name, changed.text);
        at_any_moment(20);
        kill_agent();
    }
    void kill_in_start()
    {
        kill_agent();
        launch();
        at_any_moment(700);
        kill_agent();
    }
    // The moment itself is what is tried: there is nothing to wait for.
    void at_any_moment(int up_to) { std::this_thread::sleep_for(any_time(up_to)); }

    void end_somehow()
    {
        switch (std::uniform_int_distribution(0, 5)(random_)) {
        case 0:
            return terminate();
        case 1:
            return kill_idle();
        case 2:
            return kill_in_start();
        default:
            return kill_in_apply();
        }
    }
    void expect_no_less(const Statistics& before, const Statistics& after)
    {
        for (const auto& [row, count] : before.counters) {
            EXPECT_GE(after.counters.at(row).packets, count.packets) << row;
            EXPECT_GE(after.counters.at(row).bytes, count.bytes) << row;
        }
        for (const auto& [rule, hits] : before.rules) {
            if (rule.starts_with("change ")) // may have gone
                continue;
            ASSERT_TRUE(after.rules.contains(rule)) << rule;
            EXPECT_GE(after.rules.at(rule).allowed, hits.allowed) << rule;
            EXPECT_GE(after.rules.at(rule).denied, hits.denied) << rule;
        }
        for (const ring which : {RING_REFUSALS, RING_FLOWS})
            EXPECT_GE(ring_sum(&after.losses, which).produced,
                      ring_sum(&before.losses, which).produced);
    }
    // Nothing was counted twice or not at all, over all restarts.
    void expect_exact(const lab::LoadCounts& counts, const Statistics& all)
    {
        EXPECT_EQ(all.opened("db"), counts.open + counts.made);
        EXPECT_EQ(all.opened("web"), counts.open + counts.made);
        EXPECT_EQ(all.denied("db") + all.denied("web"), counts.refused);
        for (const ring_ledger& type : all.losses.type)
            EXPECT_EQ(type.produced, type.delivered + type.suppressed + type.lost);
    }

    unsigned changes_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Agent, RestartUnderLoad, testing::ValuesIn(ways_and_families()),
                         load_name);

TEST_P(RestartUnderLoad, NothingIsDroppedPassedOrMiscounted)
{
    const size_t restarts = lab::count_of("EBPFD_RESTARTS", 5);
    ASSERT_TRUE(begin()) << agent().process().err();
    const auto links = ids_in(agent().bpffs() / "links");
    const auto maps = ids_in(agent().bpffs() / "maps");
    auto before = statistics();
    for (size_t i = 0; i < restarts && !HasFailure(); ++i) {
        end_somehow();
        ASSERT_TRUE(start()) << agent().process().err();
        ASSERT_TRUE(is_attached());
        EXPECT_EQ(ids_in(agent().bpffs() / "links"), links);
        EXPECT_EQ(ids_in(agent().bpffs() / "maps"), maps);
        const auto after = statistics();
        expect_no_less(before, after);
        before = after;
        EXPECT_TRUE(is_well()) << "restart " << i;
    }
    const auto counts = load().finish();
    EXPECT_TRUE(is_well());
    EXPECT_EQ(counts.retransmitted, 0u);
    expect_exact(counts, statistics());
    std::cout << fmt::format("{} restarts; {}\n", restarts, fmt::streamed(counts));
}

} // namespace
} // namespace system_test
