// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "observe/metrics.h"

namespace ebpfd {

// What the kernel says about this process; 0 for what it does not say.
ProcessFacts process_facts();

} // namespace ebpfd
