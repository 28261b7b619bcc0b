// SPDX-License-Identifier: Apache-2.0
#include "kernel/load.h"

#include "datapath.skel.h"
#include "kernel/capacity.h"
#include "kernel/flow_table.h"
#include "kernel/map.h"
#include "kernel/preflight.h"
#include "kernel/reuse.h"

#include <bpf/bpf.h>
#include <cerrno>
#include <fcntl.h>
#include <memory>
#include <set>
#include <string_view>
#include <sys/random.h>

namespace ebpfd {

namespace {

struct DestroySkeleton {
    void operator()(datapath* skeleton) const { datapath__destroy(skeleton); }
};
using Skeleton = std::unique_ptr<datapath, DestroySkeleton>;

// What programs write for themselves, and no later load has to understand.
bool is_private(const bpf_map* map)
{
    static const std::set<std::string_view> scratch{"passage_map", "draft_map", "match_map",
                                                    "decided_map"};
    return bpf_map__is_internal(map) || scratch.contains(bpf_map__name(map));
}

// The pinned name of a map, or empty for those that belong to one load alone.
std::string pinned_name(const bpf_map* map)
{
    const std::string name = bpf_map__name(map);
    if (name == ".data.state")
        return "state";
    return is_private(map) ? "" : name;
}

Result<void> prepare_maps(datapath& skeleton, const DatapathOptions& options, const Pins& pins,
                          uint32_t layout)
{
    bpf_map* map = nullptr;
    bpf_object__for_each_map(map, skeleton.obj)
    {
        const std::string name = pinned_name(map);
        if (name.empty())
            continue;
        if (const uint32_t entries = table_capacity(options.capacities, name); entries != 0)
            bpf_map__set_max_entries(map, entries);
        const auto adopted = adapt_to_pinned(map, pins.map(name), layout);
        if (!adopted)
            return fail("adopt " + name, adopted.error());
        const std::string path = *adopted ? pins.map(name) : pins.next_map(name);
        if (const int code = bpf_map__set_pin_path(map, path.c_str()); code != 0)
            return fail_errno("pin " + name, code);
    }
    return {};
}

// A fresh state map starts with this; a pinned one keeps what it holds.
void initialize_state(datapath& skeleton, bool audit, const flow_hashing& hashing)
{
    auto* state = &skeleton.data_state->state;
    state->generation = 1;
    state->audit = audit ? 1 : 0;
    state->layout = DATAPATH_LAYOUT;
    state->next_ruleset = RULESET_FIRST;
    state->next_identity = IDENTITY_FIRST;
    state->watch.changes = 1;
    state->hashing = hashing;
}

// As the flow table was filled, where there is one; else by numbers that nobody can guess: who knew
// them could choose whose flows find no room.
Result<flow_hashing> choose_hashing(const Pins& pins, const Capacities& capacities)
{
    if (const auto state = Map<uint32_t, datapath_state>::open_pinned(pins.maps(), "state")) {
        const auto pinned = state->lookup(0);
        if (!pinned)
            return std::unexpected(pinned.error());
        return pinned->value_or(datapath_state{}).hashing;
    }
    flow_hashing hashing{};
    if (getrandom(hashing.seed, sizeof(hashing.seed), 0) != sizeof(hashing.seed))
        return fail_errno("get random numbers");
    hashing.buckets = FlowTable::buckets_for(capacities.flows);
    return hashing;
}

// The state map marks a program as ours: see owned.h.
Result<void> pin_program(const bpf_program* program, int state_fd, const Pins& pins)
{
    const std::string name = bpf_program__name(program);
    if (bpf_prog_bind_map(bpf_program__fd(program), state_fd, nullptr) != 0)
        return fail_errno("mark program " + name);
    const std::string path = pins.program(name + Pins::NEXT);
    if (bpf_obj_pin(bpf_program__fd(program), path.c_str()) != 0)
        return fail_errno("pin program " + name);
    return {};
}

Result<void> pin_programs(datapath& skeleton, const Pins& pins)
{
    const int state_fd = bpf_map__fd(skeleton.maps.data_state);
    bpf_program* program = nullptr;
    bpf_object__for_each_program(program, skeleton.obj)
    {
        if (auto pinned = pin_program(program, state_fd, pins); !pinned)
            return pinned;
    }
    return {};
}

Result<void> load(datapath& skeleton)
{
    const int code = datapath__load(&skeleton);
    if (code == 0)
        return {};
    if (code == -EPERM) // EACCES is the verifier's word on a program
        return missing_capability(-code);
    return fail_errno("load the programs (--log-level debug shows why)", code);
}

// A descriptor that outlives the skeleton.
Result<void> keep_program(const datapath& skeleton, const char* name, Fd& kept)
{
    const auto* program = bpf_object__find_program_by_name(skeleton.obj, name);
    kept = Fd(fcntl(bpf_program__fd(program), F_DUPFD_CLOEXEC, 0));
    if (!kept)
        return fail_errno("keep program " + std::string(name));
    return {};
}

} // namespace

Result<Programs> load_programs(const DatapathOptions& options, const Pins& pins, uint32_t layout)
{
    Skeleton skeleton(datapath__open());
    if (!skeleton)
        return fail_errno("read the programs");
    if (auto prepared = prepare_maps(*skeleton, options, pins, layout); !prepared)
        return std::unexpected(prepared.error());
    const auto hashing = choose_hashing(pins, options.capacities);
    if (!hashing)
        return std::unexpected(hashing.error());
    skeleton->rodata->hashing = *hashing;
    initialize_state(*skeleton, options.audit, *hashing);
    if (auto loaded = load(*skeleton); !loaded)
        return std::unexpected(loaded.error());
    if (auto pinned = pin_programs(*skeleton, pins); !pinned)
        return std::unexpected(pinned.error());
    Programs programs;
    Result<void> kept = keep_program(*skeleton, "clear_mark", programs.clear_mark);
    if (kept)
        kept = keep_program(*skeleton, "closed", programs.closed);
    for (size_t i = 0; kept && i < HOOKS.size(); ++i) {
        kept = keep_program(*skeleton, HOOKS[i].program, programs.judge[i]);
        if (kept)
            kept = keep_program(*skeleton, HOOKS[i].first_program, programs.judge_first[i]);
        if (kept)
            kept = keep_program(*skeleton, HOOKS[i].rest_program, programs.judge_rest[i]);
    }
    if (!kept)
        return std::unexpected(kept.error());
    return programs;
}

} // namespace ebpfd
