// SPDX-License-Identifier: Apache-2.0
#include "kernel/tcx.h"

#include "kernel/grace.h"

#include <algorithm>
#include <bpf/bpf.h>
#include <cerrno>

namespace ebpfd {

namespace {

constexpr uint32_t BEFORE_ALL = 1 << 3; // BPF_F_BEFORE without another, since Linux 6.6

// The interface a link is on; 0 once that is gone.
uint32_t link_ifindex(int link)
{
    bpf_link_info info{};
    uint32_t size = sizeof(info);
    if (bpf_obj_get_info_by_fd(link, &info, &size) != 0)
        return 0;
    return info.xdp.ifindex; // where TCX links have theirs, too
}

} // namespace

Result<void> remove_link(const std::string& path)
{
    // The last reference to go is a descriptor: then the kernel detaches before close returns.
    const Fd link(bpf_obj_get(path.c_str()));
    return unpin(path);
}

TcxAttachment::TcxAttachment(const Pins& pins, const Programs& programs)
    : pins_(pins), programs_(programs), filters_(pins, programs),
      handover_([this](uint32_t ifindex) { return hand_over(ifindex); })
{
}

bool TcxAttachment::update_link(uint32_t ifindex, const Hook& hook, const Fd& program) const
{
    const Fd pinned(bpf_obj_get(pins_.link(ifindex, hook.name).c_str()));
    return pinned && link_ifindex(pinned.get()) == ifindex &&
           bpf_link_update(pinned.get(), program.get(), nullptr) == 0;
}

Result<void> TcxAttachment::replace_program(uint32_t ifindex, const Hook& hook,
                                            const Fd& program) const
{
    if (update_link(ifindex, hook, program))
        return {};
    return fail_errno(std::string("replace the program of the link at ") + hook.name);
}

Result<void> TcxAttachment::create_link(uint32_t ifindex, const Hook& hook, const Fd& program) const
{
    const std::string path = pins_.link(ifindex, hook.name);
    if (auto removed = remove_link(path); !removed)
        return removed;
    // Before those of others: one that ends the run would let packets by.
    LIBBPF_OPTS(bpf_link_create_opts, options, .flags = BEFORE_ALL);
    const Fd link(bpf_link_create(program.get(), static_cast<int>(ifindex), hook.tcx, &options));
    if (!link)
        return fail_errno(std::string("attach to ") + hook.name);
    if (bpf_obj_pin(link.get(), path.c_str()) != 0)
        return fail_errno(std::string("pin the link at ") + hook.name);
    return {};
}

Result<void> TcxAttachment::attach(uint32_t ifindex)
{
    handover_.remove(ifindex);
    bool linked = true;
    for (size_t i = 0; i < HOOKS.size(); ++i)
        linked = update_link(ifindex, HOOKS[i], programs_.judge[i]) && linked;
    if (!linked) {
        if (auto attached = filters_.attach(ifindex); !attached)
            return attached.error().code == EOPNOTSUPP ? link_at_once(ifindex) : attached;
    } else if (auto left = filters_.is_attached(ifindex); !left || !*left) {
        return left ? Result<void>{} : std::unexpected(left.error());
    }
    handover_.add(ifindex);
    return {};
}

// Where filters cannot be put first.
Result<void> TcxAttachment::link_at_once(uint32_t ifindex)
{
    for (size_t i = 0; i < HOOKS.size(); ++i)
        if (!update_link(ifindex, HOOKS[i], programs_.judge[i]))
            if (auto created = create_link(ifindex, HOOKS[i], programs_.judge[i]); !created)
                return created;
    return filters_.yield(ifindex, false);
}

bool TcxAttachment::has_link(uint32_t ifindex, const Hook& hook) const
{
    const Fd pinned(bpf_obj_get(pins_.link(ifindex, hook.name).c_str()));
    return pinned && link_ifindex(pinned.get()) == ifindex;
}

Result<void> TcxAttachment::shut(uint32_t ifindex, Result<void> (ClsactAttachment::*by)(uint32_t))
{
    const auto linked = [&](const Hook& hook) { return has_link(ifindex, hook); };
    if (std::ranges::all_of(HOOKS, linked))
        return {};
    auto shut = (filters_.*by)(ifindex);
    // Links may have taken over while this thread was not running: then they judge alone.
    return shut && std::ranges::all_of(HOOKS, linked) ? filters_.yield(ifindex, false) : shut;
}

Result<void> TcxAttachment::close(uint32_t ifindex)
{
    auto closed = filters_.close(ifindex);
    return closed ? forget(ifindex) : closed; // it may have links only of the one before
}

// An agent that ends between two of these steps leaves an interface that judges every packet,
// at worst twice; the next one's attach() takes it from there.
Result<void> TcxAttachment::hand_over_one(uint32_t ifindex, size_t i)
{
    if (update_link(ifindex, HOOKS[i], programs_.judge[i]))
        return {};
    if (auto created = create_link(ifindex, HOOKS[i], programs_.clear_mark); !created)
        return created;
    if (auto narrowed = filters_.judge_rest(ifindex, i); !narrowed) {
        const auto removed = remove_link(pins_.link(ifindex, HOOKS[i].name));
        return removed ? narrowed : removed;
    }
    return replace_program(ifindex, HOOKS[i], programs_.judge_first[i]);
}

Result<void> TcxAttachment::hand_over(uint32_t ifindex)
{
    for (size_t i = 0; i < HOOKS.size(); ++i)
        if (auto done = hand_over_one(ifindex, i); !done)
            return done;
    // Those that a link let by before it judged still need the filters.
    if (auto waited = wait_for_packets_in_flight(); !waited)
        return waited;
    if (auto removed = filters_.yield(ifindex, true); !removed)
        return removed;
    for (size_t i = 0; i < HOOKS.size(); ++i)
        if (auto done = replace_program(ifindex, HOOKS[i], programs_.judge[i]); !done)
            return done;
    return {};
}

// A link goes with its pin, and with the whole bpffs.
Result<bool> TcxAttachment::holds(uint32_t ifindex) const
{
    for (const auto& hook : HOOKS) {
        if (has_link(ifindex, hook))
            continue;
        if (const auto filter = filters_.judges(ifindex, hook); !filter || !*filter)
            return filter;
    }
    return true;
}

Result<void> TcxAttachment::detach(uint32_t ifindex)
{
    auto forgotten = forget(ifindex);
    return forgotten ? filters_.detach(ifindex) : forgotten;
}

Result<void> TcxAttachment::forget(uint32_t ifindex)
{
    handover_.remove(ifindex);
    for (const auto& hook : HOOKS)
        if (auto removed = remove_link(pins_.link(ifindex, hook.name)); !removed)
            return removed;
    return {};
}

} // namespace ebpfd
