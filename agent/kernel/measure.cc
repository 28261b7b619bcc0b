// SPDX-License-Identifier: Apache-2.0
#include "kernel/measure.h"

#include "base/fd.h"
#include "kernel/flow_table.h"
#include "kernel/pins.h"
#include "kernel/raw_map.h"

#include <atomic>
#include <bpf/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

namespace ebpfd {

namespace {

Result<ProgramRuns> runs_of(const Pins& pins, const std::string& name)
{
    const Fd program(bpf_obj_get(pins.program(name).c_str()));
    if (!program)
        return fail_errno("open program " + name);
    bpf_prog_info info{};
    uint32_t size = sizeof(info);
    if (bpf_obj_get_info_by_fd(program.get(), &info, &size) != 0)
        return fail_errno("describe program " + name);
    return ProgramRuns{.program = name, .runs = info.run_cnt, .nanoseconds = info.run_time_ns};
}

// The position in one of the first two pages of a ring: up to where it was read, or written.
Result<uint64_t> ring_position(const RawMap& ring, long page)
{
    const long size = sysconf(_SC_PAGESIZE);
    void* mapped =
        mmap(nullptr, static_cast<size_t>(size), PROT_READ, MAP_SHARED, ring.fd(), page * size);
    if (mapped == MAP_FAILED)
        return fail_errno("map " + ring.name() + " into memory");
    const auto position =
        std::atomic_ref(*static_cast<uint64_t*>(mapped)).load(std::memory_order_acquire);
    munmap(mapped, static_cast<size_t>(size));
    return position;
}

Result<RingFill> fill_of(const Pins& pins, const std::string& label, const std::string& name)
{
    // Of a descriptor for reading alone the kernel makes no shared mapping.
    const auto ring = RawMap::open_pinned(pins.maps(), name);
    if (!ring)
        return std::unexpected(ring.error());
    // Read first where the reader is, which never overtakes the writer.
    const auto consumer = ring_position(*ring, 0);
    if (!consumer)
        return std::unexpected(consumer.error());
    const auto producer = ring_position(*ring, 1);
    if (!producer)
        return std::unexpected(producer.error());
    return RingFill{
        .ring = label, .size_bytes = ring->capacity(), .pending_bytes = *producer - *consumer};
}

} // namespace

Result<std::vector<ProgramRuns>> program_runs(const std::string& bpffs)
{
    const Pins pins{bpffs};
    std::vector<ProgramRuns> all;
    for (const auto& name : names_in(pins.programs())) {
        auto runs = runs_of(pins, name);
        if (!runs)
            return std::unexpected(runs.error());
        all.push_back(std::move(*runs));
    }
    return all;
}

Result<std::vector<RingFill>> ring_fills(const std::string& bpffs)
{
    const Pins pins{bpffs};
    std::vector<RingFill> all;
    for (const auto& [label, name] :
         {std::pair{"refusals", "refusal_ring"}, std::pair{"flows", "flow_ring"}}) {
        auto fill = fill_of(pins, label, name);
        if (!fill)
            return std::unexpected(fill.error());
        all.push_back(std::move(*fill));
    }
    return all;
}

Result<FlowCounts> count_flows(const std::string& bpffs)
{
    const auto table = FlowTable::open_pinned(Pins{bpffs}.maps());
    if (!table)
        return std::unexpected(table.error());
    FlowCounts counts;
    auto done = table->for_each([&](const flow_key&, const flow& value) {
        auto& states = is_pending(&value) ? counts.pending : counts.flows;
        if (value.state < states.size())
            states[value.state]++;
    });
    if (!done)
        return std::unexpected(done.error());
    return counts;
}

} // namespace ebpfd
