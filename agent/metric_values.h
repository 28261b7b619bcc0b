// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "observe/metrics.h"
#include "routes.h"

namespace ebpfd {

// All that the metrics say, read at this moment. What cannot be read is left out, with a line in
// the log.
MetricValues metric_values(const Sources& sources);

} // namespace ebpfd
