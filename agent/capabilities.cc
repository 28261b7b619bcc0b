// SPDX-License-Identifier: Apache-2.0
#include "capabilities.h"

#include <array>
#include <cerrno>
#include <fmt/format.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

namespace ebpfd {
namespace {

struct Need {
    const char* name;
    int number;
    bool in_sys_admin; // CAP_SYS_ADMIN does as well
};

constexpr std::array<Need, 4> needs{{
    {"CAP_BPF", CAP_BPF, true},              // maps and programs
    {"CAP_PERFMON", CAP_PERFMON, true},      // programs that read the kernel's memory
    {"CAP_NET_ADMIN", CAP_NET_ADMIN, false}, // programs on interfaces
    // Notifications from the pods' network namespaces.
    {"CAP_NET_BROADCAST", CAP_NET_BROADCAST, false},
}};

bool has(uint64_t effective, int number)
{
    return (effective >> number & 1) != 0;
}

} // namespace

Result<uint64_t> effective_capabilities()
{
    __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> data{};
    if (syscall(SYS_capget, &header, data.data()) != 0)
        return fail_errno("read the capabilities");
    return data[0].effective | uint64_t{data[1].effective} << 32;
}

Result<void> check_capabilities(uint64_t effective)
{
    std::vector<const char*> missing;
    for (const auto& [name, number, in_sys_admin] : needs)
        if (!has(effective, number) && !(in_sys_admin && has(effective, CAP_SYS_ADMIN)))
            missing.push_back(name);
    if (missing.empty())
        return {};
    return fail(EPERM,
                fmt::format("ebpfd lacks {}: run it as root, or grant {} to it",
                            fmt::join(missing, " and "), missing.size() > 1 ? "them" : "it"));
}

} // namespace ebpfd
