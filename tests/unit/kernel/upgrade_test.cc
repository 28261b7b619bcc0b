// SPDX-License-Identifier: Apache-2.0
#include "bpffs.h"
#include "earlier_layout.h"
#include "kernel/datapath.h"
#include "kernel/map.h"
#include "kernel/owned.h"
#include "kernel/pinned.h"
#include "kernel/pins.h"
#include "plans.h"
#include "pod_interface.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

using namespace ebpfd;

namespace {

uint32_t map_id(const Bpffs& bpffs, const char* name)
{
    return value_of(RawMap::open_pinned(bpffs.maps(), name)).id();
}

uint32_t pinned_program(const Bpffs& bpffs, const char* name)
{
    return program_id(Fd(bpf_obj_get((bpffs.path() + "/progs/" + name).c_str())));
}

bool has_next(const Bpffs& bpffs)
{
    for (const char* folder : {"/maps", "/progs"})
        for (const auto& name : names_in(bpffs.path() + folder))
            if (name.ends_with(Pins::NEXT))
                return true;
    return false;
}

} // namespace

TEST(Upgrade, CountersGoOnInTheirNewShape)
{
    Bpffs bpffs;
    {
        const auto datapath = open_datapath(bpffs);
        ASSERT_TRUE(datapath->apply(web_plan()));
    }
    make_counters_rows(bpffs, 8);
    add_flow(bpffs, {}, {});
    const uint32_t flows = map_id(bpffs, "flow_map");
    ASSERT_TRUE(open_datapath(bpffs));
    EXPECT_FALSE(has_next(bpffs));
    EXPECT_EQ(map_id(bpffs, "flow_map"), flows);
    const auto maps = read_maps(bpffs);
    EXPECT_EQ(value_of(maps->state()).layout, uint32_t{DATAPATH_LAYOUT});
    const uint64_t times = libbpf_num_possible_cpus() > 1 ? 2 : 1;
    for (const uint32_t endpoint : {0u, 1u, 7u})
        for (const uint32_t row : {0u, 1u, 63u}) {
            const uint64_t before = endpoint * COUNTERS_PER_ENDPOINT + row;
            const counter& now = value_of(maps->counters(endpoint)).row[row];
            EXPECT_EQ(now.packets, before * times) << endpoint << "/" << row;
            EXPECT_EQ(now.bytes, before * times * 100);
        }
    EXPECT_TRUE(open_datapath(bpffs)) << "and once more, with nothing left to convert";
}

// From the first layout that had it so, and from the last.
TEST(Upgrade, HealthOfPodsGoesOnInItsNewShape)
{
    for (const uint32_t layout : {ROWS_LAYOUT, SHORT_HEALTH_LAYOUT}) {
        Bpffs bpffs;
        ASSERT_TRUE(open_datapath(bpffs)->apply(web_plan()));
        if (layout == ROWS_LAYOUT)
            make_counters_rows(bpffs, 8);
        else
            make_health_shorter(bpffs, 8);
        ASSERT_TRUE(open_datapath(bpffs));
        EXPECT_FALSE(has_next(bpffs));
        const auto maps = read_maps(bpffs);
        EXPECT_EQ(value_of(maps->state()).layout, uint32_t{DATAPATH_LAYOUT});
        const uint64_t times = libbpf_num_possible_cpus() > 1 ? 2 : 1;
        for (const uint32_t endpoint : {0u, 1u, 7u}) {
            const auto now = value_of(maps->health_of_pod(endpoint));
            EXPECT_EQ(now.retransmissions, endpoint * times);
            EXPECT_EQ(now.kernel_drops, endpoint * times);
            EXPECT_EQ(now.resets_sent, 0u);
            EXPECT_EQ(now.connects_unmeasured, 0u);
        }
    }
}

// The last thing that a start does is to say that the maps are of its layout.
TEST(Upgrade, AStartThatWasKilledAtItsEndIsCompleted)
{
    Bpffs bpffs;
    ASSERT_TRUE(open_datapath(bpffs)->apply(web_plan()));
    set_layout(bpffs, ROWS_LAYOUT);
    const uint32_t counters = map_id(bpffs, "counter_map");
    ASSERT_TRUE(open_datapath(bpffs));
    EXPECT_EQ(map_id(bpffs, "counter_map"), counters);
    EXPECT_EQ(value_of(read_maps(bpffs)->state()).layout, uint32_t{DATAPATH_LAYOUT});
}

// Killed before its programs were in force: there is nothing to compare with.
TEST(Upgrade, AFirstStartThatWasCutShortIsNoObstacle)
{
    Bpffs bpffs;
    ASSERT_TRUE(open_datapath(bpffs)->apply(web_plan()));
    for (const auto& name : names_in(bpffs.path() + "/progs")) {
        const std::string path = bpffs.path() + "/progs/" + name;
        ASSERT_EQ(rename(path.c_str(), (path + Pins::NEXT).c_str()), 0);
    }
    EXPECT_TRUE(open_datapath(bpffs));
    EXPECT_FALSE(has_next(bpffs));
}

TEST(Upgrade, WhatAnInterruptedOneLeftIsForgotten)
{
    Bpffs bpffs;
    ASSERT_TRUE(open_datapath(bpffs));
    make_counters_rows(bpffs, 8);
    const Fd stale(bpf_map_create(BPF_MAP_TYPE_ARRAY, "stale", 4, 4, 1, nullptr));
    ASSERT_EQ(bpf_obj_pin(stale.get(), (bpffs.maps() + "/counter_map-next").c_str()), 0);
    const Fd program(bpf_obj_get((bpffs.path() + "/progs/clear_mark").c_str()));
    ASSERT_EQ(bpf_obj_pin(program.get(), (bpffs.path() + "/progs/to_pod-next").c_str()), 0);
    ASSERT_TRUE(open_datapath(bpffs));
    EXPECT_FALSE(has_next(bpffs));
    EXPECT_EQ(value_of(read_maps(bpffs)->counters(1)).row[0].packets % COUNTERS_PER_ENDPOINT, 0u);
}

// Earlier and later ones, of which nobody knows what their maps mean.
TEST(Upgrade, LayoutsThatAreNotKnownAreLeftAlone)
{
    Bpffs bpffs;
    ASSERT_TRUE(open_datapath(bpffs)->apply(web_plan()));
    const auto programs = pinned_program(bpffs, "to_pod");
    for (const uint32_t layout : {ROWS_LAYOUT - 1, uint32_t{DATAPATH_LAYOUT} + 1}) {
        set_layout(bpffs, layout);
        const auto refused = Datapath::open(small_options(bpffs));
        ASSERT_FALSE(refused);
        EXPECT_NE(refused.error().message.find("ebpfd --detach"), std::string::npos);
        EXPECT_EQ(pinned_program(bpffs, "to_pod"), programs);
        const auto misread = PinnedMaps::open(bpffs.path());
        ASSERT_FALSE(misread);
        EXPECT_NE(misread.error().message.find("another layout"), std::string::npos);
    }
}

namespace {

// A pod's interface with an earlier agent's links or filters on it.
class Rollback : public OnPodInterface, public testing::WithParamInterface<AttachMode> {
protected:
    void SetUp() override
    {
        OnPodInterface::SetUp();
        inside([this] { ASSERT_TRUE(start(GetParam())->apply(plan())); });
    }
};

} // namespace

// Its check compares answers with those of the programs in force: here with one that gives none.
TEST_P(Rollback, ProgramsThatFailTheirCheckDoNotTakeOver)
{
    const Fd other(bpf_obj_get((bpffs_.path() + "/progs/clear_mark").c_str()));
    pin_again(other.get(), bpffs_.path() + "/progs/trace_packet");
    inside([&] {
        auto options = small_options(bpffs_);
        options.attach = GetParam();
        const auto before = attached();
        EXPECT_FALSE(before.empty());
        const auto refused = Datapath::open(options);
        ASSERT_FALSE(refused);
        EXPECT_NE(refused.error().message.find("the new programs fail their check"),
                  std::string::npos)
            << refused.error().message;
        EXPECT_EQ(attached(), before);
    });
    EXPECT_FALSE(has_next(bpffs_));
    EXPECT_TRUE(value_of(read_maps(bpffs_)->endpoints()).size() == 1);
}

INSTANTIATE_TEST_SUITE_P(Upgrade, Rollback,
                         testing::Values(AttachMode::automatic, AttachMode::clsact),
                         [](const auto& mode) {
                             return mode.param == AttachMode::clsact ? "clsact" : "automatic";
                         });
