// SPDX-License-Identifier: Apache-2.0
#include "kernel/grace.h"

#include "base/fd.h"

#include <bpf/bpf.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace ebpfd {

namespace {

// An update of a map of maps waits as well (since Linux 4.20). For kernels whose membarrier
// refuses, which those with isolated CPUs do (nohz_full).
Result<void> wait_by_map_of_maps()
{
    const Fd inner(bpf_map_create(BPF_MAP_TYPE_ARRAY, "ebpfd_grace_in", 4, 4, 1, nullptr));
    if (!inner)
        return fail_errno("wait for packets in flight");
    LIBBPF_OPTS(bpf_map_create_opts, options, .inner_map_fd = static_cast<uint32_t>(inner.get()));
    const Fd outer(bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "ebpfd_grace", 4, 4, 1, &options));
    const uint32_t key = 0;
    const int value = inner.get();
    if (!outer || bpf_map_update_elem(outer.get(), &key, &value, BPF_ANY) != 0)
        return fail_errno("wait for packets in flight");
    return {};
}

} // namespace

Result<void> wait_for_packets_in_flight()
{
    // Waits for an RCU grace period, and programs run within RCU's read sections.
    if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) == 0)
        return {};
    return wait_by_map_of_maps();
}

} // namespace ebpfd
