// SPDX-License-Identifier: Apache-2.0
#include "kernel/clsact.h"

#include "base/log.h"
#include "kernel/tc_batch.h"

#include <algorithm>
#include <cerrno>

namespace ebpfd {

namespace {

bpf_tc_hook tc_hook(uint32_t ifindex, bpf_tc_attach_point point)
{
    LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = static_cast<int>(ifindex), .attach_point = point);
    return hook;
}

// The first priority that nobody has.
uint32_t free_priority(const std::vector<TcFilter>& filters)
{
    uint32_t priority = 1;
    while (std::ranges::any_of(filters, [&](const TcFilter& f) { return f.priority == priority; }))
        ++priority;
    return priority;
}

// EOPNOTSUPP where somebody has put an ingress qdisc there, which has one list of filters: those
// for egress would be put in place of those for ingress.
Result<void> check_qdisc(uint32_t ifindex)
{
    const auto clsact = has_clsact(ifindex);
    if (!clsact)
        return std::unexpected(clsact.error());
    if (*clsact)
        return {};
    return fail(EOPNOTSUPP, "an ingress qdisc is in the place of a clsact qdisc: filters cannot "
                            "judge what the pod receives");
}

// How many of the hooks can have filters.
size_t usable_hooks(const Result<void>& qdisc)
{
    if (qdisc)
        return HOOKS.size();
    return qdisc.error().code == EOPNOTSUPP ? 1 : 0;
}

// No error where there is one.
Result<void> add_qdisc(uint32_t ifindex)
{
    auto both = tc_hook(ifindex, static_cast<bpf_tc_attach_point>(BPF_TC_INGRESS | BPF_TC_EGRESS));
    const int code = bpf_tc_hook_create(&both);
    if (code != 0 && code != -EEXIST)
        return fail_errno("add the clsact qdisc", code);
    return code == 0 ? Result<void>{} : check_qdisc(ifindex);
}

Result<void> put_filter(uint32_t ifindex, const Hook& hook, const Fd& program, const TcFilter* ours,
                        uint32_t priority)
{
    auto at = tc_hook(ifindex, hook.clsact);
    LIBBPF_OPTS(bpf_tc_opts, options, .prog_fd = program.get(),
                .flags = ours ? static_cast<uint32_t>(BPF_TC_F_REPLACE) : 0,
                .handle = ours ? ours->handle : 1, .priority = ours ? ours->priority : priority);
    if (const int code = bpf_tc_attach(&at, &options); code != 0)
        return fail_errno(std::string("attach to ") + hook.name, code);
    return {};
}

Result<void> remove_filter(uint32_t ifindex, const Hook& hook, const TcFilter& filter)
{
    auto at = tc_hook(ifindex, hook.clsact);
    LIBBPF_OPTS(bpf_tc_opts, options, .handle = filter.handle, .priority = filter.priority);
    const int code = bpf_tc_detach(&at, &options);
    if (code != 0 && code != -ENOENT && code != -ENODEV)
        return fail_errno(std::string("detach from ") + hook.name, code);
    return {};
}

} // namespace

ClsactAttachment::ClsactAttachment(const Pins& pins, const Programs& programs)
    : owned_(pins), programs_(programs), closed_id_(program_id(programs.closed))
{
}

bool ClsactAttachment::is_closed(const TcFilter& filter) const
{
    return closed_id_ != 0 && filter.program == closed_id_;
}

bool ClsactAttachment::is_ours(const TcFilter& filter) const
{
    return filter.program != 0 && owned_.owns(filter.program);
}

const TcFilter* ClsactAttachment::find_ours(const std::vector<TcFilter>& filters) const
{
    const auto ours = std::ranges::find_if(filters, [&](const TcFilter& f) { return is_ours(f); });
    return ours == filters.end() ? nullptr : &*ours;
}

Result<void> ClsactAttachment::put_one(uint32_t ifindex, size_t hook, const Fd& program,
                                       const std::vector<TcFilter>& filters) const
{
    if (const auto* ours = find_ours(filters))
        return put_filter(ifindex, HOOKS[hook], program, ours, 0);
    const uint32_t priority = free_priority(filters);
    if (priority > 1)
        spdlog::warn("interface {}: another tc filter at {} comes before ours and may pass packets "
                     "by it",
                     ifindex, HOOKS[hook].name);
    return put_filter(ifindex, HOOKS[hook], program, nullptr, priority);
}

Result<bool> ClsactAttachment::is_attached(uint32_t ifindex, const Hook& hook) const
{
    const auto filters = filters_at(ifindex, hook);
    if (!filters)
        return std::unexpected(filters.error());
    return find_ours(*filters) != nullptr;
}

Result<bool> ClsactAttachment::judges(uint32_t ifindex, const Hook& hook) const
{
    const auto filters = filters_at(ifindex, hook);
    if (!filters)
        return std::unexpected(filters.error());
    const auto* ours = find_ours(*filters);
    return ours != nullptr && !is_closed(*ours);
}

Result<bool> ClsactAttachment::is_attached(uint32_t ifindex) const
{
    for (const auto& hook : HOOKS)
        if (const auto attached = is_attached(ifindex, hook); !attached || *attached)
            return attached;
    return false;
}

Result<bool> ClsactAttachment::holds(uint32_t ifindex) const
{
    for (const auto& hook : HOOKS)
        if (const auto judged = judges(ifindex, hook); !judged || !*judged)
            return judged;
    return true;
}

Result<void> ClsactAttachment::judge_rest(uint32_t ifindex, size_t hook)
{
    const std::lock_guard lock(lock_of(ifindex));
    const auto filters = filters_at(ifindex, HOOKS[hook]);
    if (!filters)
        return std::unexpected(filters.error());
    const auto* ours = find_ours(*filters);
    if (ours == nullptr || is_closed(*ours))
        return fail(ESTALE, "it has become another, or has lost its filter");
    return put_filter(ifindex, HOOKS[hook], programs_.judge_rest[hook], ours, 0);
}

Result<ClsactAttachment::Present> ClsactAttachment::read_filters(uint32_t ifindex) const
{
    Present present;
    for (size_t i = 0; i < HOOKS.size(); ++i) {
        auto filters = filters_at(ifindex, HOOKS[i]);
        if (!filters)
            return std::unexpected(filters.error());
        present[i] = std::move(*filters);
    }
    return present;
}

Result<void> ClsactAttachment::attach(uint32_t ifindex)
{
    const std::lock_guard lock(lock_of(ifindex));
    const auto present = read_filters(ifindex);
    if (!present)
        return std::unexpected(present.error());
    const bool bare = std::ranges::all_of(*present, &std::vector<TcFilter>::empty);
    const auto qdisc = bare ? add_qdisc(ifindex) : check_qdisc(ifindex);
    Result<void> done;
    for (size_t i = 0; i < usable_hooks(qdisc) && done; ++i) {
        done = put_one(ifindex, i, programs_.judge[i], (*present)[i]);
        if (done)
            done = remove_others_of_ours(ifindex, i, (*present)[i]);
    }
    return done ? qdisc : done;
}

// What an agent left that ended while it closed the interface.
Result<void> ClsactAttachment::remove_others_of_ours(uint32_t ifindex, size_t hook,
                                                     const std::vector<TcFilter>& filters) const
{
    const auto* kept = find_ours(filters);
    for (const TcFilter& filter : filters)
        if (&filter != kept && is_ours(filter))
            if (auto removed = remove_filter(ifindex, HOOKS[hook], filter); !removed)
                return removed;
    return {};
}

Result<void> ClsactAttachment::shut_hook(uint32_t ifindex, size_t hook) const
{
    const auto filters = filters_at(ifindex, HOOKS[hook]);
    if (!filters)
        return std::unexpected(filters.error());
    const auto closed = std::ranges::find_if(
        *filters, [this](const TcFilter& filter) { return is_closed(filter); });
    const bool there = closed != filters->end();
    const bool judged = std::ranges::any_of(
        *filters, [this](const TcFilter& filter) { return is_ours(filter) && !is_closed(filter); });
    // Whoever takes away a whole priority of his would take ours with it.
    const bool among_others = there && std::ranges::any_of(*filters, [&](const TcFilter& filter) {
                                  return !is_ours(filter) && filter.priority == closed->priority;
                              });
    if (!judged && (!there || among_others))
        if (auto put = put_filter(ifindex, HOOKS[hook], programs_.closed, nullptr,
                                  free_priority(*filters));
            !put)
            return put;
    return there && (judged || among_others) ? remove_filter(ifindex, HOOKS[hook], *closed)
                                             : Result<void>{};
}

// Each of them, whatever became of the other; the first error.
Result<void> ClsactAttachment::shut_hooks(uint32_t ifindex, Result<void> qdisc) const
{
    Result<void> done;
    for (size_t i = 0; i < usable_hooks(qdisc); ++i)
        if (auto shut = shut_hook(ifindex, i); !shut && done)
            done = std::move(shut);
    return done ? qdisc : done;
}

Result<void> ClsactAttachment::shut(uint32_t ifindex)
{
    const std::lock_guard lock(lock_of(ifindex));
    return shut_hooks(ifindex, add_qdisc(ifindex));
}

// A new pod and those who set it up wait for the network lock as well. So this asks for nothing
// beforehand, and looks only at an interface that turns out to have a qdisc or filters.
Result<void> ClsactAttachment::shut_newcomer(uint32_t ifindex)
{
    const std::lock_guard lock(lock_of(ifindex));
    const auto outcome = add_qdisc_and_filters(ifindex, programs_.closed);
    if (!outcome)
        return std::unexpected(outcome.error());
    if (outcome->qdisc != 0 && outcome->qdisc != EEXIST)
        return fail_errno("add the clsact qdisc", outcome->qdisc);
    if (outcome->qdisc == 0 && outcome->filters == decltype(outcome->filters){})
        return {};
    return shut_hooks(ifindex, check_qdisc(ifindex));
}

Result<void> ClsactAttachment::close(uint32_t ifindex)
{
    const std::lock_guard lock(lock_of(ifindex));
    const auto qdisc = add_qdisc(ifindex);
    const auto present = read_filters(ifindex);
    if (!present)
        return std::unexpected(present.error());
    for (size_t i = 0; i < usable_hooks(qdisc); ++i)
        if (auto put = put_one(ifindex, i, programs_.closed, (*present)[i]); !put)
            return put;
    return qdisc;
}

Result<void> ClsactAttachment::detach(uint32_t ifindex)
{
    auto removed = remove_filters(ifindex, owned_);
    return removed ? remove_empty_qdisc(ifindex) : removed;
}

Result<void> ClsactAttachment::yield(uint32_t ifindex, bool spare_closed) const
{
    return remove_filters(ifindex, owned_, spare_closed ? closed_id_ : 0);
}

Result<void> remove_filters(uint32_t ifindex, const Ownership& owned, uint32_t spared)
{
    for (const auto& hook : HOOKS) {
        auto filters = filters_at(ifindex, hook);
        if (!filters)
            return std::unexpected(filters.error());
        for (const auto& filter : *filters)
            if (filter.program != 0 && filter.program != spared && owned.owns(filter.program))
                if (auto removed = remove_filter(ifindex, hook, filter); !removed)
                    return removed;
    }
    return {};
}

Result<void> remove_empty_qdisc(uint32_t ifindex)
{
    for (const auto& hook : HOOKS)
        if (const auto filters = filters_at(ifindex, hook); !filters || !filters->empty())
            return filters ? Result<void>{} : std::unexpected(filters.error());
    auto both = tc_hook(ifindex, static_cast<bpf_tc_attach_point>(BPF_TC_INGRESS | BPF_TC_EGRESS));
    const int code = bpf_tc_hook_destroy(&both);
    if (code != 0 && code != -ENOENT && code != -ENODEV && code != -EINVAL)
        return fail_errno("remove the clsact qdisc", code);
    return {};
}

} // namespace ebpfd
