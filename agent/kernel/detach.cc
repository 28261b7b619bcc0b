// SPDX-License-Identifier: Apache-2.0
#include "kernel/clsact.h"
#include "kernel/datapath.h"
#include "kernel/libbpf_log.h"
#include "kernel/tcx.h"

#include <cerrno>
#include <memory>
#include <net/if.h>
#include <unistd.h>

namespace ebpfd {

namespace {

struct FreeInterfaces {
    void operator()(struct if_nameindex* interfaces) const { if_freenameindex(interfaces); }
};

// Whether a filter or a link of ours is there: links leave the qdisc of their filters behind.
Result<bool> is_ours(uint32_t ifindex, const Pins& pins, const Ownership& owned)
{
    for (const auto& hook : HOOKS) {
        if (access(pins.link(ifindex, hook.name).c_str(), F_OK) == 0)
            return true;
        const auto filters = filters_at(ifindex, hook);
        if (!filters)
            return std::unexpected(filters.error());
        for (const TcFilter& filter : *filters)
            if (filter.program != 0 && owned.owns(filter.program))
                return true;
    }
    return false;
}

Result<void> remove_from(uint32_t ifindex, const Pins& pins, const Ownership& owned)
{
    const auto ours = is_ours(ifindex, pins, owned);
    if (!ours || !*ours)
        return ours ? Result<void>{} : std::unexpected(ours.error());
    auto done = remove_filters(ifindex, owned);
    return done ? remove_empty_qdisc(ifindex) : done;
}

// Filters leave no trace on the bpf file system: every interface is asked.
Result<void> remove_all_filters(const Pins& pins, const Ownership& owned)
{
    const std::unique_ptr<struct if_nameindex, FreeInterfaces> interfaces(::if_nameindex());
    if (!interfaces)
        return fail_errno("list interfaces");
    for (const auto* interface = interfaces.get(); interface->if_index != 0; ++interface)
        if (auto removed = remove_from(interface->if_index, pins, owned); !removed)
            return fail(std::string("interface ") + interface->if_name, removed.error());
    return {};
}

} // namespace

Result<void> Datapath::detach(const std::string& bpffs)
{
    route_libbpf_log();
    const Pins pins{bpffs};
    if (auto removed = remove_all_filters(pins, Ownership(pins)); !removed)
        return removed;
    for (const auto& name : names_in(pins.links()))
        if (auto removed = remove_link(pins.links() + "/" + name); !removed)
            return removed;
    for (const auto& folder : {pins.links(), pins.programs(), pins.maps()})
        if (auto removed = remove_folder(folder); !removed)
            return removed;
    if (rmdir(bpffs.c_str()) != 0 && errno != ENOENT && errno != ENOTEMPTY && errno != EBUSY)
        return fail_errno("remove " + bpffs);
    return {};
}

} // namespace ebpfd
