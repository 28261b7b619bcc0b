// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ebpfctl/report.h"
#include "kernel/pinned.h"

#include <span>

namespace ebpfd::ctl {

// How one map's entries are shown.
struct MapView {
    const char* name; // as it is pinned
    std::vector<Column> columns;
    Result<Json> (*rows)(const PinnedMaps& maps);
};

std::span<const MapView> ruleset_views();  // rules and what selects them
std::span<const MapView> endpoint_views(); // endpoints, identities, state
std::span<const MapView> traffic_views();  // flows and counters

} // namespace ebpfd::ctl
