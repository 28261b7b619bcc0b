// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "observe/observer.h"

#include <string>

namespace ebpfd {

// The agent's part of the ledger as JSON: what it took from the rings since its start, and what
// became of that on the way to each reader.
std::string loss_json(const Observer::Counts& counts);

} // namespace ebpfd
