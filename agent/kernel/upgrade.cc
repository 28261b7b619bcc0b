// SPDX-License-Identifier: Apache-2.0
#include "kernel/upgrade.h"

#include "base/log.h"

#include <bpf/bpf.h>
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

// Programs of a start that was ended before its programs were in force: interfaces may have them,
// and by their pins they are known for ours.
constexpr std::string_view LOST = "-lost";

} // namespace

Result<Upgrade> Upgrade::begin(const Pins& pins)
{
    auto done = remove_with_suffix(pins.maps(), Pins::NEXT);
    if (done)
        done = change_suffix(pins.programs(), Pins::NEXT, LOST);
    if (!done)
        return std::unexpected(done.error());
    Upgrade upgrade;
    upgrade.pins_ = pins;
    upgrade.previous_ = open_programs(pins);
    return upgrade;
}

Result<void> Upgrade::commit(State& state) const
{
    auto done = change_suffix(pins_.programs(), Pins::NEXT, "");
    if (done)
        done = remove_with_suffix(pins_.programs(), LOST);
    if (done)
        done = change_suffix(pins_.maps(), Pins::NEXT, "");
    if (done)
        state.set_layout();
    return done;
}

bool Upgrade::restore(AttachMode mode, const std::vector<uint32_t>& endpoints) const
{
    const auto attachment = Attachment::make(mode, pins_, *previous_);
    bool all = true;
    for (const uint32_t ifindex : endpoints) {
        const auto back = attachment ? (*attachment)->attach(ifindex)
                                     : Result<void>(std::unexpected(attachment.error()));
        all = all && back;
        if (!back)
            spdlog::error("interface {} keeps the new programs: {}", ifindex, back.error().message);
    }
    return all;
}

void Upgrade::roll_back(AttachMode mode, const std::vector<uint32_t>& endpoints) const
{
    if (!previous_ || !restore(mode, endpoints))
        return;
    for (const auto& folder : {pins_.maps(), pins_.programs()})
        if (auto removed = remove_with_suffix(folder, Pins::NEXT); !removed)
            spdlog::warn("{}", removed.error().message);
}

} // namespace ebpfd
