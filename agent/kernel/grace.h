// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/result.h"

namespace ebpfd {

// Returns once every packet that was on its way through the programs at the call is through:
// what they could have read before is in nobody's hands any more. Most often in a fraction of a
// millisecond; where not every CPU is to be had soon, in the 8 to 30 ms of an RCU grace period.
Result<void> wait_for_packets_in_flight();

} // namespace ebpfd
