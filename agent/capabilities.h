// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/result.h"

#include <cstdint>

namespace ebpfd {

// Those in effect for this thread; bit n: capability n.
Result<uint64_t> effective_capabilities();
// An error says in one sentence which are missing, and what to do.
Result<void> check_capabilities(uint64_t effective);

} // namespace ebpfd
