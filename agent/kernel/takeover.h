// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "kernel/attachment.h"
#include "kernel/pins.h"

#include <cstdint>
#include <set>

namespace ebpfd {

// After an earlier agent's endpoints have been attached anew: takes away the links of that agent
// that are not wanted in this mode, or are on interfaces that are no endpoints.
Result<void> remove_leftovers(const Pins& pins, const Attachment& attachment,
                              const std::set<uint32_t>& endpoints);

} // namespace ebpfd
