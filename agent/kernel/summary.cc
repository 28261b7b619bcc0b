// SPDX-License-Identifier: Apache-2.0
#include "kernel/summary.h"

#include "kernel/flow_table.h"
#include "kernel/pins.h"
#include "kernel/raw_map.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fstream>

namespace ebpfd {

namespace {

// Memory in bytes, which the kernel tells beside a map's descriptor.
uint64_t memory_of(int fd)
{
    std::ifstream file("/proc/self/fdinfo/" + std::to_string(fd));
    for (std::string field; file >> field;) {
        uint64_t bytes = 0;
        if (field == "memlock:" && file >> bytes)
            return bytes;
    }
    return 0;
}

bool countable(uint32_t type)
{
    return type == BPF_MAP_TYPE_HASH || type == BPF_MAP_TYPE_LRU_HASH ||
           type == BPF_MAP_TYPE_PERCPU_HASH || type == BPF_MAP_TYPE_LPM_TRIE;
}

// In flows, as the option counts them: half of the table's entries are spare.
Result<MapSummary> summarize_flows(const std::string& folder, MapSummary summary)
{
    const auto table = FlowTable::open_pinned(folder);
    if (!table)
        return std::unexpected(table.error());
    const auto used = table->size();
    if (!used)
        return std::unexpected(used.error());
    summary.capacity = table->capacity();
    summary.entries = static_cast<uint32_t>(*used);
    return summary;
}

Result<MapSummary> summarize_map(const std::string& folder, const std::string& name)
{
    auto map = RawMap::open_pinned(folder, name, BPF_F_RDONLY);
    if (!map)
        return std::unexpected(map.error());
    const char* type = libbpf_bpf_map_type_str(static_cast<bpf_map_type>(map->type()));
    MapSummary summary{.name = name,
                       .type = type ? type : "unknown",
                       .key_size = map->key_size(),
                       .value_size = map->value_size(),
                       .capacity = map->capacity(),
                       .bytes = memory_of(map->fd())};
    if (name == "flow_map")
        return summarize_flows(folder, std::move(summary));
    if (!countable(map->type()))
        return summary;
    auto counted =
        map->read([&](const void*, const void*, uint32_t count) { summary.entries += count; });
    if (!counted)
        return std::unexpected(counted.error());
    return summary;
}

} // namespace

Result<std::vector<MapSummary>> summarize(const std::string& folder)
{
    std::vector<MapSummary> all;
    for (const auto& name : names_in(folder)) {
        auto summary = summarize_map(folder, name);
        if (!summary)
            return std::unexpected(summary.error());
        all.push_back(std::move(*summary));
    }
    return all;
}

} // namespace ebpfd
