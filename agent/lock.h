// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/fd.h"
#include "base/result.h"

#include <string>

namespace ebpfd {

// Held as long as the object lives, by the kernel's doing: a killed agent leaves none behind.
class AgentLock {
public:
    // Makes the runtime folder if it is missing. An error names the agent that is there already.
    static Result<AgentLock> take(const std::string& runtime_dir, const std::string& bpffs);

private:
    AgentLock(Fd runtime, Fd maps) : runtime_(std::move(runtime)), maps_(std::move(maps)) {}

    Fd runtime_; // RUNTIME_DIR/lock, flock; holds the process id as text
    Fd maps_;    // the folder on the bpf file system, flock
};

} // namespace ebpfd
