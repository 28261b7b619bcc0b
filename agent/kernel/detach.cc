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

// Filters leave no trace on the bpf file system: every interface is asked.
Result<void> remove_all_filters(const Ownership& owned)
{
    const std::unique_ptr<struct if_nameindex, FreeInterfaces> interfaces(::if_nameindex());
    if (!interfaces)
        return fail_errno("list interfaces");
    for (const auto* interface = interfaces.get(); interface->if_index != 0; ++interface)
        if (auto removed = remove_filters(interface->if_index, owned); !removed)
            return fail(std::string("interface ") + interface->if_name, removed.error());
    return {};
}

} // namespace

Result<void> Datapath::detach(const std::string& bpffs)
{
    route_libbpf_log();
    const Pins pins{bpffs};
    if (auto removed = remove_all_filters(Ownership(pins)); !removed)
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
