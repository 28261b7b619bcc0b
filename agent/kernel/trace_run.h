// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/fd.h"
#include "base/result.h"
#include "kernel/pinned.h"

#include <string>

namespace ebpfd {

// Runs the program trace_packet over a packet made for the question.
Result<TraceAnswer> run_trace(const Fd& program, const TraceQuestion& question);
// The one pinned there.
Result<TraceAnswer> run_trace(const std::string& pin, const TraceQuestion& question);

} // namespace ebpfd
