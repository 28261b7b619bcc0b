// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ebpfctl/context.h"

#include <string>
#include <vector>

namespace ebpfd::ctl {

// Runs one command line, without the program's name; returns the exit code.
Exit run(const std::vector<std::string>& arguments, const Sources& sources, Terminal terminal);

} // namespace ebpfd::ctl
