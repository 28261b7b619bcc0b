// SPDX-License-Identifier: Apache-2.0
#include "kernel/programs.h"

#include "kernel/filters.h"
#include "kernel/libbpf_log.h"
#include "kernel/owned.h"
#include "kernel/raw_map.h"

#include <algorithm>
#include <array>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <cerrno>
#include <fstream>
#include <map>
#include <memory>
#include <net/if.h>
#include <optional>

namespace ebpfd {

namespace {

// BPF_LINK_TYPE_TCX, which headers before Linux 6.6 lack.
constexpr uint32_t LINK_TCX = 11;

struct FreeBtf {
    void operator()(btf* types) const { btf__free(types); }
};

struct FreeInterfaces {
    void operator()(struct if_nameindex* interfaces) const { if_freenameindex(interfaces); }
};

using Places = std::map<std::string, uint32_t>; // kind to count
using PlacesById = std::map<uint32_t, Places>;

// Hands the id of each object of a kind to the function, in their order.
template <class Each> Result<void> for_each_id(int (*next)(uint32_t, uint32_t*), const Each& each)
{
    uint32_t id = 0;
    while (next(id, &id) == 0)
        each(id);
    if (errno != ENOENT)
        return fail_errno("list what is loaded");
    return {};
}

// Info has the names cut to 15 characters; the first function of the program's types has it all.
std::string full_name(int program, const bpf_prog_info& about)
{
    std::string name = about.name;
    const std::unique_ptr<btf, FreeBtf> types(btf__load_from_kernel_by_id(about.btf_id));
    if (!types || about.nr_func_info == 0 || about.func_info_rec_size < sizeof(bpf_func_info))
        return name;
    std::vector<char> functions(size_t{about.nr_func_info} * about.func_info_rec_size);
    bpf_prog_info info{};
    info.nr_func_info = about.nr_func_info;
    info.func_info_rec_size = about.func_info_rec_size;
    info.func_info = reinterpret_cast<uintptr_t>(functions.data());
    uint32_t size = sizeof(info);
    if (bpf_obj_get_info_by_fd(program, &info, &size) != 0)
        return name;
    const auto& first = *reinterpret_cast<const bpf_func_info*>(functions.data());
    const auto* type = btf__type_by_id(types.get(), first.type_id);
    const char* full = type ? btf__name_by_offset(types.get(), type->name_off) : nullptr;
    return full ? full : name;
}

// Nothing if it has gone meanwhile.
std::optional<LoadedProgram> describe(uint32_t id)
{
    const Fd program(bpf_prog_get_fd_by_id(id));
    bpf_prog_info info{};
    uint32_t size = sizeof(info);
    if (!program || bpf_obj_get_info_by_fd(program.get(), &info, &size) != 0)
        return {};
    return LoadedProgram{.id = id,
                         .name = full_name(program.get(), info),
                         .attached = {},
                         .runs = info.run_cnt,
                         .nanoseconds = info.run_time_ns};
}

Result<std::vector<LoadedProgram>> owned_programs(const Ownership& owned)
{
    std::vector<LoadedProgram> all;
    auto listed = for_each_id(bpf_prog_get_next_id, [&](uint32_t id) {
        if (!owned.owns(id))
            return;
        if (auto program = describe(id))
            all.push_back(std::move(*program));
    });
    if (!listed)
        return std::unexpected(listed.error());
    std::ranges::sort(
        all, {}, [](const LoadedProgram& program) { return std::pair(program.name, program.id); });
    return all;
}

std::string tracepoint_of(int link)
{
    std::array<char, 128> name{};
    bpf_link_info info{};
    info.raw_tracepoint.tp_name = reinterpret_cast<uintptr_t>(name.data());
    info.raw_tracepoint.tp_name_len = name.size();
    uint32_t size = sizeof(info);
    return bpf_obj_get_info_by_fd(link, &info, &size) == 0 ? name.data() : "";
}

std::string kind_of(int link, uint32_t type)
{
    switch (type) {
    case LINK_TCX:
        return "tcx";
    case BPF_LINK_TYPE_RAW_TRACEPOINT:
        return "tp_btf " + tracepoint_of(link);
    case BPF_LINK_TYPE_TRACING:
        return "fentry";
    case BPF_LINK_TYPE_PERF_EVENT:
        return "kprobe";
    default:
        return "link";
    }
}

Result<void> add_links(PlacesById& places)
{
    return for_each_id(bpf_link_get_next_id, [&](uint32_t id) {
        const Fd link(bpf_link_get_fd_by_id(id));
        bpf_link_info info{};
        uint32_t size = sizeof(info);
        if (!link || bpf_obj_get_info_by_fd(link.get(), &info, &size) != 0)
            return; // it has gone meanwhile
        const auto program = places.find(info.prog_id);
        if (program != places.end())
            program->second[kind_of(link.get(), info.type)]++;
    });
}

Result<void> add_filters(PlacesById& places)
{
    const std::unique_ptr<struct if_nameindex, FreeInterfaces> interfaces(::if_nameindex());
    if (!interfaces)
        return fail_errno("list interfaces");
    for (const auto* interface = interfaces.get(); interface->if_index != 0; ++interface)
        for (const Hook& hook : HOOKS) {
            const auto filters = filters_at(interface->if_index, hook);
            if (!filters)
                return std::unexpected(filters.error());
            for (const TcFilter& filter : *filters)
                if (const auto program = places.find(filter.program); program != places.end())
                    program->second["clsact"]++;
        }
    return {};
}

Result<void> find_places(std::vector<LoadedProgram>& programs)
{
    PlacesById places;
    for (const LoadedProgram& program : programs)
        places[program.id];
    if (auto found = add_links(places); !found)
        return found;
    if (auto found = add_filters(places); !found)
        return found;
    for (LoadedProgram& program : programs)
        for (const auto& [kind, count] : places[program.id])
            program.attached.push_back({kind, count});
    return {};
}

bool always_counted()
{
    std::ifstream file("/proc/sys/kernel/bpf_stats_enabled");
    int value = 0;
    return file >> value && value != 0;
}

} // namespace

Result<ProgramStatistics> program_statistics(const std::string& bpffs)
{
    route_libbpf_log();
    const Pins pins{bpffs};
    // Says why where nothing is there, or not for this caller.
    if (auto state = RawMap::open_pinned(pins.maps(), "state"); !state)
        return fail("look into " + bpffs, state.error());
    auto programs = owned_programs(Ownership(pins));
    if (!programs)
        return std::unexpected(programs.error());
    if (auto found = find_places(*programs); !found)
        return std::unexpected(found.error());
    return ProgramStatistics{.counted = always_counted(), .programs = std::move(*programs)};
}

Result<Fd> count_runs()
{
    Fd counting(bpf_enable_stats(BPF_STATS_RUN_TIME));
    if (!counting)
        return fail_errno("have the kernel count runs");
    return counting;
}

} // namespace ebpfd
