// SPDX-License-Identifier: Apache-2.0
#include "base/privileges.h"

#include <algorithm>
#include <array>
#include <cap-ng.h>
#include <cerrno>
#include <span>
#include <sys/prctl.h>
#include <thread>
#include <vector>

namespace ebpfd {
namespace {

// SYS_ADMIN only where one of the first two is missing: it does as well, see capabilities.h.
constexpr std::array<unsigned, 4> starting{CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN, CAP_NET_BROADCAST};
constexpr std::array<unsigned, 2> running{CAP_BPF, CAP_NET_ADMIN};

bool permitted(unsigned capability)
{
    return capng_have_capability(CAPNG_PERMITTED, capability) != 0;
}

// Without CAP_SETPCAP the bounding set stays: then it is up to whoever starts the agent.
Result<void> keep(std::span<const unsigned> wanted)
{
    if (capng_get_caps_process() != 0)
        return fail_errno("read the capabilities", EIO);
    const bool may_bound = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP) != 0;
    std::vector<unsigned> kept;
    std::ranges::copy_if(wanted, std::back_inserter(kept), permitted);
    const bool wants_bpf = std::ranges::find(wanted, unsigned{CAP_BPF}) != wanted.end();
    if (wants_bpf && !permitted(CAP_BPF) && permitted(CAP_SYS_ADMIN))
        kept.push_back(CAP_SYS_ADMIN);
    capng_clear(CAPNG_SELECT_ALL);
    for (const unsigned capability : kept)
        capng_update(CAPNG_ADD, static_cast<capng_type_t>(CAPNG_EFFECTIVE | CAPNG_PERMITTED),
                     capability);
    if (const int code = capng_apply(may_bound ? CAPNG_SELECT_ALL : CAPNG_SELECT_CAPS); code != 0)
        return fail_errno("give up capabilities", EPERM);
    return {};
}

} // namespace

Result<void> keep_starting_privileges()
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return fail_errno("refuse new privileges");
    return keep(starting);
}

Result<void> keep_running_privileges()
{
    return keep(running);
}

Result<void> without_privileges(const std::function<void()>& work)
{
    Result<void> dropped;
    std::thread([&] {
        dropped = keep({});
        if (dropped)
            work();
    }).join();
    return dropped;
}

} // namespace ebpfd
