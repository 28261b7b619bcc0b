// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "kernel/applied.h"
#include "kernel/maps.h"

#include <set>

namespace ebpfd {

struct Adopted {
    Applied applied;
    Retirement unsettled;           // what an earlier agent did not come to finish
    std::set<uint32_t> stale_flows; // interfaces that have flows and no endpoint
};

// Reads from the maps what is in force. Nothing has a key there: the next plan's parts are
// recognised by their content; see Recovery.
Result<Adopted> adopt(const Maps& maps, const datapath_state& state);

} // namespace ebpfd
