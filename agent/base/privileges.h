// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/result.h"

#include <functional>

// What the agent may do: from the start less than root, and still less once it enforces.
namespace ebpfd {

// Leaves this thread, of the capabilities it has, those that a start needs, and what it might
// execute none, for good. For the time before there are other threads.
Result<void> keep_starting_privileges();
// Leaves this thread those that changes need: interfaces, and programs that are loaded.
Result<void> keep_running_privileges();

// Runs it in a thread that has no capability, and hands that on to all threads it starts there.
Result<void> without_privileges(const std::function<void()>& work);

} // namespace ebpfd
