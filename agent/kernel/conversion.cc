// SPDX-License-Identifier: Apache-2.0
#include "kernel/conversion.h"

#include "ebpfd/counter.h"
#include "kernel/per_cpu_array.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <unistd.h>
#include <vector>

namespace ebpfd {

namespace {

using PerCpuCounters = std::vector<endpoint_counters>;

// rows: an endpoint's, one after the other, each with the values of all CPUs.
PerCpuCounters counters_of(const std::vector<counter>& rows, size_t cpus)
{
    PerCpuCounters out(cpus);
    for (size_t i = 0; i < rows.size(); ++i)
        out[i % cpus].row[i / cpus] = rows[i];
    return out;
}

bool is_zero(const counter& one)
{
    return one.packets == 0 && one.bytes == 0;
}

// Until layout 4 each counter of an endpoint was a value of its own.
uint32_t endpoints_of(uint32_t rows)
{
    return rows / COUNTERS_PER_ENDPOINT;
}

Result<void> gather_counters(const RawMap& before, const std::string& folder,
                             const std::string& name)
{
    auto fresh = PerCpuArray<endpoint_counters>::open_pinned(folder, name);
    if (!fresh)
        return std::unexpected(fresh.error());
    const uint32_t endpoints = std::min(fresh->capacity(), endpoints_of(before.capacity()));
    std::vector<counter> rows(COUNTERS_PER_ENDPOINT * fresh->cpus());
    for (uint32_t index = 0; index < endpoints; ++index) {
        auto done =
            before.lookup_rows(index * COUNTERS_PER_ENDPOINT, COUNTERS_PER_ENDPOINT, rows.data());
        if (done && !std::ranges::all_of(rows, is_zero))
            done = fresh->set(index, counters_of(rows, fresh->cpus()));
        if (!done)
            return done;
    }
    return {};
}

uint32_t same_capacity(uint32_t rows)
{
    return rows;
}

// Values of all CPUs that have become longer: what is new at their ends begins with zero.
Result<void> lengthen_values(const RawMap& before, const std::string& folder,
                             const std::string& name)
{
    const auto fresh = RawMap::open_pinned(folder, name);
    if (!fresh)
        return std::unexpected(fresh.error());
    if (before.value_size() > fresh->value_size())
        return fail(EINVAL, before.name() + " has longer values");
    std::vector<char> row(before.row_size());
    std::vector<char> longer(fresh->row_size());
    for (uint32_t index = 0; index < std::min(before.capacity(), fresh->capacity()); ++index) {
        if (auto read = before.lookup_rows(index, 1, row.data()); !read)
            return read;
        if (std::ranges::all_of(row, [](char byte) { return byte == 0; }))
            continue;
        for (size_t from = 0, to = 0; from < row.size();
             from += before.value_size(), to += fresh->value_size())
            std::memcpy(&longer[to], &row[from], before.value_size());
        if (auto set = fresh->update(&index, longer.data()); !set)
            return set;
    }
    return {};
}

constexpr std::array CONVERSIONS{
    Conversion{4, "counter_map", endpoints_of, gather_counters},
    Conversion{4, "pod_health_map", same_capacity, lengthen_values},
    Conversion{5, "pod_health_map", same_capacity, lengthen_values},
};

} // namespace

const Conversion* find_conversion(uint32_t layout, std::string_view map)
{
    const auto* found = std::ranges::find_if(
        CONVERSIONS, [&](const auto& one) { return one.layout == layout && map == one.map; });
    return found == CONVERSIONS.end() ? nullptr : found;
}

bool can_convert(uint32_t layout)
{
    return std::ranges::find(CONVERSIONS, layout, &Conversion::layout) != CONVERSIONS.end();
}

Result<void> convert_maps(const Pins& pins, uint32_t layout)
{
    for (const auto& conversion : CONVERSIONS) {
        const std::string next = std::string(conversion.map) + Pins::NEXT;
        if (conversion.layout != layout || access(pins.map(next).c_str(), F_OK) != 0)
            continue;
        const auto before = RawMap::open_pinned(pins.maps(), conversion.map);
        if (!before)
            return std::unexpected(before.error());
        if (auto filled = conversion.fill(*before, pins.maps(), next); !filled)
            return fail(std::string("convert ") + conversion.map, filled.error());
    }
    return {};
}

} // namespace ebpfd
