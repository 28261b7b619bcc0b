// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/fd.h"
#include "base/result.h"

#include <cstdint>
#include <string>
#include <vector>

// Our programs as the kernel has them, and what it counts of their runs.
namespace ebpfd {

struct ProgramPlaces {
    std::string kind; // "tcx", "clsact", "tp_btf tcp_probe", "fentry", "kprobe"
    uint32_t count = 0;
};

struct LoadedProgram {
    uint32_t id = 0;
    std::string name;
    std::vector<ProgramPlaces> attached{}; // by kind; empty: it runs only when it is asked
    // While the kernel counted; else both stand still.
    uint64_t runs = 0;
    uint64_t nanoseconds = 0;
};

struct ProgramStatistics {
    // kernel.bpf_stats_enabled. Without it runs are counted while somebody holds count_runs(),
    // which the kernel does not tell.
    bool counted = false;
    std::vector<LoadedProgram> programs; // by name and id
};

// All that use a map pinned below bpffs, pinned themselves or not: the datapath, an earlier load of
// it that still runs somewhere, the hooks of an agent that runs. Filters are looked for on the
// interfaces of this network namespace. ENOENT where nothing is pinned; EPERM without
// CAP_SYS_ADMIN.
Result<ProgramStatistics> program_statistics(const std::string& bpffs);

// The kernel counts runs and their time, of all programs, while this is open: some 20 ns a run.
Result<Fd> count_runs();

} // namespace ebpfd
