// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/result.h"
#include "kernel/applied.h"
#include "kernel/hook.h"
#include "kernel/pins.h"

#include <map>

namespace ebpfd {

// Whether the programs that have just been loaded may take over, asked by test runs that leave no
// trace: a packet of no pod must pass, and a sample of connections of the endpoints must be
// answered by what a verdict can be. same_meaning: and as the programs in force answer it, for they
// read the same maps. The error says what was asked and what the answers were.
Result<void> check_programs(const Programs& programs, const Pins& pins,
                            const EndpointRows& endpoints, bool same_meaning);

} // namespace ebpfd
