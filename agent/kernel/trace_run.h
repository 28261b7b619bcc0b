// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/result.h"
#include "kernel/pinned.h"

#include <string>

namespace ebpfd {

// Runs the pinned program over a packet made for the question.
Result<TraceAnswer> run_trace(const std::string& program, const TraceQuestion& question);

} // namespace ebpfd
