// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/result.h"

#include <cstdint>

namespace ebpfd {

// From now on all threads have no other system calls than a running agent makes. Any other fails
// with EPERM and is counted: an agent that a new libc ends would be a worse guard than one in
// which a call fails.
Result<void> install_syscall_filter();

struct RefusedCalls {
    uint64_t count = 0;
    std::string last; // the name of the last one, empty if there was none
};
RefusedCalls refused_calls();

} // namespace ebpfd
