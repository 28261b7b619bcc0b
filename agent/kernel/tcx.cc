// SPDX-License-Identifier: Apache-2.0
#include "kernel/tcx.h"

#include <bpf/bpf.h>
#include <cerrno>

namespace ebpfd {

namespace {

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

Result<void> TcxAttachment::attach_one(uint32_t ifindex, const Hook& hook, const Fd& program)
{
    const std::string path = pins_.link(ifindex, hook.name);
    if (const Fd pinned(bpf_obj_get(path.c_str())); pinned && link_ifindex(pinned.get()) == ifindex)
        if (bpf_link_update(pinned.get(), program.get(), nullptr) == 0)
            return {};
    if (auto removed = remove_link(path); !removed)
        return removed;
    const Fd link(bpf_link_create(program.get(), static_cast<int>(ifindex), hook.tcx, nullptr));
    if (!link)
        return fail_errno(std::string("attach to ") + hook.name);
    if (bpf_obj_pin(link.get(), path.c_str()) != 0)
        return fail_errno(std::string("pin the link at ") + hook.name);
    return {};
}

Result<void> TcxAttachment::attach(uint32_t ifindex)
{
    for (size_t i = 0; i < HOOKS.size(); ++i)
        if (auto attached = attach_one(ifindex, HOOKS[i], programs_[i]); !attached)
            return attached;
    return {};
}

Result<void> TcxAttachment::detach(uint32_t ifindex)
{
    for (const auto& hook : HOOKS)
        if (auto removed = remove_link(pins_.link(ifindex, hook.name)); !removed)
            return removed;
    return {};
}

} // namespace ebpfd
