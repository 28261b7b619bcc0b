// SPDX-License-Identifier: Apache-2.0
#include "kernel/upgrade.h"

#include "base/log.h"

#include <bpf/bpf.h>
#include <cstdio>
#include <cstring>
#include <string_view>

namespace ebpfd {

namespace {

// False: it is not there.
bool open_program(const Pins& pins, const char* name, Fd& program)
{
    program = Fd(bpf_obj_get(pins.program(name).c_str()));
    return static_cast<bool>(program);
}

std::optional<Programs> open_programs(const Pins& pins)
{
    Programs programs;
    bool all = open_program(pins, "clear_mark", programs.clear_mark);
    for (size_t i = 0; all && i < HOOKS.size(); ++i)
        all = open_program(pins, HOOKS[i].program, programs.judge[i]) &&
              open_program(pins, HOOKS[i].first_program, programs.judge_first[i]) &&
              open_program(pins, HOOKS[i].rest_program, programs.judge_rest[i]);
    return all ? std::optional(std::move(programs)) : std::nullopt;
}

constexpr std::string_view LOST = "-lost";

// Programs of a start that was ended before its programs were in force: interfaces may have them,
// and by their pins they are known for ours.
Result<void> keep_lost(const Pins& pins)
{
    for (const auto& name : names_in(pins.programs())) {
        if (!name.ends_with(Pins::NEXT))
            continue;
        const std::string path = pins.program(name);
        const std::string lost =
            path.substr(0, path.size() - std::strlen(Pins::NEXT)) + std::string(LOST);
        if (rename(path.c_str(), lost.c_str()) != 0)
            return fail_errno("keep the lost program " + name);
    }
    return {};
}

Result<void> remove_lost(const Pins& pins)
{
    for (const auto& name : names_in(pins.programs()))
        if (name.ends_with(LOST))
            if (auto removed = unpin(pins.program(name)); !removed)
                return removed;
    return {};
}

} // namespace

Result<Upgrade> Upgrade::begin(const Pins& pins)
{
    auto done = remove_next(pins.maps());
    if (done)
        done = keep_lost(pins);
    if (!done)
        return std::unexpected(done.error());
    Upgrade upgrade;
    upgrade.pins_ = pins;
    upgrade.previous_ = open_programs(pins);
    return upgrade;
}

Result<void> Upgrade::commit(State& state) const
{
    auto done = put_next_in_place(pins_.programs());
    if (done)
        done = remove_lost(pins_);
    if (done)
        done = put_next_in_place(pins_.maps());
    if (done)
        state.set_layout();
    return done;
}

void Upgrade::roll_back(AttachMode mode, const std::vector<uint32_t>& endpoints) const
{
    if (!previous_)
        return;
    const auto attachment = Attachment::make(mode, pins_, *previous_);
    for (const uint32_t ifindex : endpoints)
        if (auto back = attachment ? (*attachment)->attach(ifindex)
                                   : Result<void>(std::unexpected(attachment.error()));
            !back)
            spdlog::error("interface {} keeps the new programs: {}", ifindex, back.error().message);
    for (const auto& folder : {pins_.maps(), pins_.programs()})
        if (auto removed = remove_next(folder); !removed)
            spdlog::warn("{}", removed.error().message);
}

} // namespace ebpfd
