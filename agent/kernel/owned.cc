// SPDX-License-Identifier: Apache-2.0
#include "kernel/owned.h"

#include "base/fd.h"
#include "kernel/raw_map.h"

#include <algorithm>
#include <bpf/bpf.h>
#include <vector>

namespace ebpfd {

uint32_t program_id(const Fd& program)
{
    bpf_prog_info info{};
    uint32_t size = sizeof(info);
    const bool known = program && bpf_obj_get_info_by_fd(program.get(), &info, &size) == 0;
    return known ? info.id : 0;
}

Ownership::Ownership(const Pins& pins)
{
    for (const auto& name : names_in(pins.maps()))
        if (auto map = RawMap::open_pinned(pins.maps(), name))
            maps_.insert(map->id());
    for (const auto& name : names_in(pins.programs()))
        if (const auto id = program_id(Fd(bpf_obj_get(pins.program(name).c_str()))); id != 0)
            programs_.insert(id);
}

bool Ownership::owns(uint32_t program_id) const
{
    if (programs_.contains(program_id))
        return true;
    const Fd program(bpf_prog_get_fd_by_id(program_id));
    if (!program)
        return false;
    std::vector<uint32_t> used(64);
    bpf_prog_info info{};
    info.nr_map_ids = static_cast<uint32_t>(used.size());
    info.map_ids = reinterpret_cast<uintptr_t>(used.data());
    uint32_t size = sizeof(info);
    if (bpf_obj_get_info_by_fd(program.get(), &info, &size) != 0)
        return false;
    used.resize(std::min<size_t>(used.size(), info.nr_map_ids));
    return std::ranges::any_of(used, [&](uint32_t id) { return maps_.contains(id); });
}

} // namespace ebpfd
