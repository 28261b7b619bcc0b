// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/result.h"

#include <string>
#include <vector>

namespace ebpfd::ctl {

// The files that a path stands for: of a folder those that an agent which watches it would read,
// ordered by name; else the path itself, whatever its name and whether or not it is there.
Result<std::vector<std::string>> document_files(const std::string& path);

} // namespace ebpfd::ctl
