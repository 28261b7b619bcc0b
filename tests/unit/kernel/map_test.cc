// SPDX-License-Identifier: Apache-2.0
#include "bpffs.h"
#include "ebpfd/ruleset.h"
#include "kernel/map.h"
#include "kernel/per_cpu_array.h"
#include "kernel/per_cpu_hash.h"
#include "kernel/pins.h"

#include <bpf/bpf.h>
#include <cerrno>
#include <map>

using namespace ebpfd;

namespace {

struct Sizes {
    bpf_map_type type = BPF_MAP_TYPE_HASH;
    uint32_t key = 4;
    uint32_t value = 8;
    uint32_t entries = 20000;
};

// Makes a map and pins it as "probe".
Bpffs& pinned(Bpffs& bpffs, const Sizes& sizes)
{
    LIBBPF_OPTS(bpf_map_create_opts, options);
    if (sizes.type == BPF_MAP_TYPE_HASH || sizes.type == BPF_MAP_TYPE_LPM_TRIE ||
        sizes.type == BPF_MAP_TYPE_PERCPU_HASH)
        options.map_flags = BPF_F_NO_PREALLOC;
    EXPECT_TRUE(make_folder(bpffs.maps()));
    const Fd map(
        bpf_map_create(sizes.type, "probe", sizes.key, sizes.value, sizes.entries, &options));
    EXPECT_EQ(bpf_obj_pin(map.get(), (bpffs.maps() + "/probe").c_str()), 0);
    return bpffs;
}

} // namespace

TEST(Map, BatchesComeBackComplete)
{
    Bpffs bpffs;
    const auto map =
        value_of(Map<uint32_t, uint64_t>::open_pinned(pinned(bpffs, {}).maps(), "probe"));
    Rows<uint32_t, uint64_t> rows;
    for (uint32_t i = 0; i < 20000; ++i)
        rows.add(i, uint64_t{i} * 3);
    ASSERT_TRUE(map.update(rows));
    const auto entries = value_of(map.entries());
    ASSERT_EQ(entries.size(), 20000u);
    for (const auto& [key, value] : entries)
        ASSERT_EQ(value, uint64_t{key} * 3);
    EXPECT_EQ(value_of(map.lookup(7)), 21u);
}

TEST(Map, ErasePassesOverMissingKeys)
{
    Bpffs bpffs;
    const auto map =
        value_of(Map<uint32_t, uint64_t>::open_pinned(pinned(bpffs, {}).maps(), "probe"));
    for (const uint32_t key : {1u, 2u, 3u})
        ASSERT_TRUE(map.update(key, 0));
    const std::vector<uint32_t> keys{9, 1, 8, 3, 7};
    ASSERT_TRUE(map.erase(keys));
    EXPECT_EQ(value_of(map.entries()).size(), 1u);
    EXPECT_TRUE(value_of(map.lookup(2)).has_value());
    EXPECT_FALSE(value_of(map.lookup(1)).has_value());
}

TEST(Map, PrefixTreesTakeBatches)
{
    Bpffs bpffs;
    pinned(bpffs, {BPF_MAP_TYPE_LPM_TRIE, sizeof(cidr_key), sizeof(bitmap), 5000});
    const auto map = value_of(Map<cidr_key, bitmap>::open_pinned(bpffs.maps(), "probe"));
    Rows<cidr_key, bitmap> rows;
    for (uint32_t i = 0; i < 5000; ++i)
        rows.add({CIDR_KEY_BASE + 128, 16, {static_cast<uint8_t>(i >> 8), static_cast<uint8_t>(i)}},
                 {{i}});
    ASSERT_TRUE(map.update(rows));
    EXPECT_EQ(value_of(map.entries()).size(), 5000u);
    ASSERT_TRUE(map.erase(rows.keys));
    EXPECT_TRUE(value_of(map.entries()).empty());
}

TEST(Map, AFullTableSaysItsName)
{
    Bpffs bpffs;
    pinned(bpffs, {.entries = 1});
    const auto map = value_of(Map<uint32_t, uint64_t>::open_pinned(bpffs.maps(), "probe"));
    ASSERT_TRUE(map.update(1, 1));
    const auto refused = map.update(2, 2);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, E2BIG);
    EXPECT_NE(refused.error().message.find("update probe"), std::string::npos);
}

TEST(Map, OtherSizesAreRefused)
{
    Bpffs bpffs;
    pinned(bpffs, {});
    EXPECT_FALSE((Map<uint32_t, uint32_t>::open_pinned(bpffs.maps(), "probe")));
    EXPECT_FALSE((Map<uint64_t, uint64_t>::open_pinned(bpffs.maps(), "probe")));
}

TEST(Map, AMissingPinIsNoSuchEntry)
{
    Bpffs bpffs;
    const auto missing = Map<uint32_t, uint32_t>::open_pinned(bpffs.maps(), "probe");
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, ENOENT);
}

TEST(PerCpuArray, RowsAreReadAndCleared)
{
    Bpffs bpffs;
    pinned(bpffs, {BPF_MAP_TYPE_PERCPU_ARRAY, 4, 16, 8});
    struct Pair {
        uint64_t first;
        uint64_t second;
    };
    const auto array = value_of(PerCpuArray<Pair>::open_pinned(bpffs.maps(), "probe"));
    const std::vector<Pair> ones(static_cast<size_t>(libbpf_num_possible_cpus()), {1, 2});
    for (const uint32_t row : {2u, 3u, 4u})
        ASSERT_TRUE(array.set(row, ones));
    EXPECT_EQ(value_of(array.row(3)).back().second, 2u);
    ASSERT_TRUE(array.clear(3));
    EXPECT_EQ(value_of(array.row(2)).front().first, 1u);
    EXPECT_EQ(value_of(array.row(3)).back().second, 0u);
    EXPECT_EQ(value_of(array.row(4)).front().first, 1u);
    EXPECT_FALSE(array.row(8));
}

TEST(PerCpuHash, ReadsTheValuesOfAllCpusOfEachKey)
{
    Bpffs bpffs;
    pinned(bpffs, {.type = BPF_MAP_TYPE_PERCPU_HASH, .entries = 500});
    const auto map = value_of(PerCpuHash<uint32_t, uint64_t>::open_pinned(bpffs.maps(), "probe"));
    const size_t cpus = map.raw().row_size() / sizeof(uint64_t);
    for (uint32_t key = 0; key < 500; ++key) {
        std::vector<uint64_t> row(cpus);
        for (size_t cpu = 0; cpu < cpus; ++cpu)
            row[cpu] = key * 1000 + cpu;
        ASSERT_TRUE(map.raw().update(&key, row.data()));
    }
    std::map<uint32_t, std::vector<uint64_t>> seen;
    ASSERT_TRUE(map.for_each([&](uint32_t key, std::span<const uint64_t> row) {
        seen[key].assign(row.begin(), row.end());
    }));
    ASSERT_EQ(seen.size(), 500u);
    for (const auto& [key, row] : seen)
        for (size_t cpu = 0; cpu < cpus; ++cpu)
            ASSERT_EQ(row.at(cpu), key * 1000 + cpu);
    const std::vector<uint32_t> going{3, 4};
    ASSERT_TRUE(map.erase(going));
    size_t left = 0;
    ASSERT_TRUE(map.for_each([&](uint32_t, std::span<const uint64_t>) { ++left; }));
    EXPECT_EQ(left, 498u);
}
