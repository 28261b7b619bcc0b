// SPDX-License-Identifier: Apache-2.0
#include "bpffs.h"
#include "kernel/datapath.h"
#include "kernel/maps.h"
#include "kernel/pins.h"
#include "plans.h"

#include <algorithm>
#include <bpf/libbpf.h>
#include <filesystem>

using namespace ebpfd;

namespace {

uint32_t capacity_of(const PinnedMaps& maps, const std::string& name)
{
    for (const auto& summary : value_of(maps.summaries()))
        if (summary.name == name)
            return summary.capacity;
    ADD_FAILURE() << "no map " << name;
    return 0;
}

uint32_t id_of(const Bpffs& bpffs, const std::string& map)
{
    return value_of(RawMap::open_pinned(bpffs.maps(), map)).id();
}

} // namespace

TEST(Datapath, AFreshStartPinsMapsAndPrograms)
{
    Bpffs bpffs;
    const auto datapath = open_datapath(bpffs);
    ASSERT_TRUE(datapath);
    EXPECT_EQ(names_in(bpffs.path() + "/progs"),
              (std::vector<std::string>{"clear_mark", "closed", "from_pod", "from_pod_first", "from_pod_rest",
                                        "to_pod", "to_pod_first", "to_pod_rest", "trace_packet"}));
    const auto maps = read_maps(bpffs);
    ASSERT_TRUE(maps);
    const auto state = value_of(maps->state());
    EXPECT_EQ(state.layout, uint32_t{DATAPATH_LAYOUT});
    EXPECT_EQ(state.generation, 1u);
    EXPECT_EQ(state.audit, 0u);
    EXPECT_EQ(capacity_of(*maps, "endpoint_map"), 8u);
    EXPECT_EQ(capacity_of(*maps, "counter_map"), 8u);
    EXPECT_EQ(capacity_of(*maps, "rule_hit_map"), 16u);
    EXPECT_EQ(capacity_of(*maps, "state"), 1u);
}

TEST(Datapath, ARestartAdoptsMapsAndReplacesPrograms)
{
    Bpffs bpffs;
    auto datapath = open_datapath(bpffs);
    ASSERT_TRUE(datapath);
    ASSERT_TRUE(datapath->apply(web_plan()));
    const uint32_t map = id_of(bpffs, "flow_map");
    const uint32_t generation = datapath->generation();
    datapath.reset();
    datapath = open_datapath(bpffs);
    ASSERT_TRUE(datapath);
    EXPECT_EQ(id_of(bpffs, "flow_map"), map);
    EXPECT_EQ(datapath->generation(), generation);
    EXPECT_EQ(names_in(bpffs.path() + "/progs").size(), 9u);
}

TEST(Datapath, APinnedMapKeepsItsCapacity)
{
    Bpffs bpffs;
    ASSERT_TRUE(open_datapath(bpffs));
    auto options = small_options(bpffs);
    options.capacities.peers = 99;
    ASSERT_TRUE(Datapath::open(options));
    EXPECT_EQ(capacity_of(*read_maps(bpffs), "peer_map"), 32u);
}

TEST(Datapath, AnotherLayoutAsksForDetach)
{
    Bpffs bpffs;
    ASSERT_TRUE(open_datapath(bpffs));
    const auto maps = value_of(Maps::open(bpffs.maps()));
    auto state = *value_of(maps.state.lookup(0));
    state.layout += 1;
    ASSERT_TRUE(maps.state.update(0, state));
    const auto refused = Datapath::open(small_options(bpffs));
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("ebpfd --detach"), std::string::npos);
    EXPECT_FALSE(names_in(bpffs.maps()).empty());
}

TEST(Datapath, AnInterruptedFirstStartIsForgotten)
{
    Bpffs bpffs;
    ASSERT_TRUE(open_datapath(bpffs));
    ASSERT_TRUE(unpin(bpffs.maps() + "/state"));
    EXPECT_FALSE(Datapath::open(small_options(bpffs))); // programs are there: it did run
    ASSERT_TRUE(remove_folder(bpffs.path() + "/progs"));
    EXPECT_TRUE(open_datapath(bpffs));
}

TEST(Datapath, AChangeOfAuditHasFlowsJudgedAgain)
{
    Bpffs bpffs;
    ASSERT_TRUE(open_datapath(bpffs));
    auto options = small_options(bpffs);
    options.audit = true;
    ASSERT_TRUE(Datapath::open(options));
    const auto state = value_of(read_maps(bpffs)->state());
    EXPECT_EQ(state.audit, 1u);
    EXPECT_EQ(state.generation, 2u);
    ASSERT_TRUE(Datapath::open(options));
    EXPECT_EQ(value_of(read_maps(bpffs)->state()).generation, 2u);
}

// What was made for audit mode has dry runs among what would be enforced.
TEST(Datapath, AuditModeIsLeftByTheFirstPolicyMadeForEnforcement)
{
    Bpffs bpffs;
    auto options = small_options(bpffs);
    options.audit = true;
    ASSERT_TRUE(Datapath::open(options));
    const auto datapath = open_datapath(bpffs);
    ASSERT_TRUE(datapath);
    EXPECT_EQ(value_of(read_maps(bpffs)->state()).audit, 1u);
    const auto report = datapath->apply({});
    ASSERT_TRUE(report);
    const auto state = value_of(read_maps(bpffs)->state());
    EXPECT_EQ(state.audit, 0u);
    EXPECT_EQ(state.generation, 2u); // open flows are judged again
    EXPECT_EQ(report->generation, 2u);
}

TEST(Datapath, DetachLeavesNothing)
{
    Bpffs bpffs;
    ASSERT_TRUE(open_datapath(bpffs));
    ASSERT_TRUE(unpin(bpffs.maps() + "/endpoint_map")); // half of it is missing already
    ASSERT_TRUE(remove_folder(bpffs.path() + "/links"));
    ASSERT_TRUE(Datapath::detach(bpffs.path()));
    EXPECT_FALSE(std::filesystem::exists(bpffs.path()));
    EXPECT_TRUE(Datapath::detach(bpffs.path()));
}

TEST(PinnedMaps, NothingPinnedIsNoSuchEntry)
{
    const auto missing = PinnedMaps::open("/sys/fs/bpf/test-never-made");
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, ENOENT);
}

TEST(PinnedMaps, SummariesCountEntries)
{
    Bpffs bpffs;
    const auto datapath = open_datapath(bpffs);
    ASSERT_TRUE(datapath->apply(web_plan()));
    const auto dropped = value_of(RawMap::open_pinned(bpffs.maps(), "kdrop_map"));
    const kernel_drop_key reason{.endpoint = 0, .reason = 1};
    const std::vector<counter> counts(static_cast<size_t>(libbpf_num_possible_cpus()));
    ASSERT_TRUE(dropped.update(&reason, counts.data()));
    const auto summaries = value_of(read_maps(bpffs)->summaries());
    const auto addresses = std::ranges::find(summaries, "address_map", &MapSummary::name);
    ASSERT_NE(addresses, summaries.end());
    EXPECT_EQ(addresses->entries, 2u);
    EXPECT_EQ(addresses->type, "hash");
    EXPECT_GT(addresses->bytes, 0u);
    const auto drops = std::ranges::find(summaries, "kdrop_map", &MapSummary::name);
    ASSERT_NE(drops, summaries.end());
    EXPECT_EQ(drops->entries, 1u);
}
