// SPDX-License-Identifier: Apache-2.0
#include "kernel/takeover.h"

#include "kernel/tcx.h"

#include <charconv>

namespace ebpfd {

namespace {

// The interface in the name of a pinned link, "12-ingress"; 0 if there is none.
uint32_t interface_of(const std::string& name)
{
    uint32_t ifindex = 0;
    const auto parsed = std::from_chars(name.data(), name.data() + name.size(), ifindex);
    return parsed.ec == std::errc{} ? ifindex : 0;
}

} // namespace

Result<void> remove_leftovers(const Pins& pins, const Attachment& attachment,
                              const std::set<uint32_t>& endpoints)
{
    const bool tcx = attachment.mode() == "tcx";
    for (const auto& name : names_in(pins.links())) {
        if (tcx && endpoints.contains(interface_of(name)))
            continue;
        if (auto removed = remove_link(pins.links() + "/" + name); !removed)
            return removed;
    }
    return {};
}

} // namespace ebpfd
