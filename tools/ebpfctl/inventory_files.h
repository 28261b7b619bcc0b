// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "model/document.h"
#include "model/world.h"

#include <string>
#include <vector>

namespace ebpfd::ctl {

// What files of the inventory say, as the agent would read them.
struct InventoryRead {
    World world; // without policies and interfaces
    std::vector<FileError> errors;
};

// Paths of files, and of folders whose files count as those that the agent watches.
InventoryRead read_inventory(const std::vector<std::string>& paths);

} // namespace ebpfd::ctl
