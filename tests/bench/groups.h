// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "bench/frame/run.h"

namespace bench {

// The groups of measurements. Each throws where it cannot measure.
void measure_packets(Run& run);
void measure_pods(Run& run);
void measure_policy(Run& run);
void measure_events(Run& run);
void measure_footprint(Run& run);
void measure_growth(Run& run);
void measure_analysis(Run& run);

} // namespace bench
