// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/result.h"
#include "model/measured.h"

#include <string>
#include <vector>

// Measures of the datapath pinned below bpffs, for the metrics.
namespace ebpfd {

Result<std::vector<ProgramRuns>> program_runs(const std::string& bpffs);
Result<std::vector<RingFill>> ring_fills(const std::string& bpffs);
// Walks both tables: 100 ms of CPU when they are full.
Result<FlowCounts> count_flows(const std::string& bpffs);

} // namespace ebpfd
