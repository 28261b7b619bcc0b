// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/result.h"

#include <string>

namespace CLI {
class App;
}

namespace ebpfd {

// Gives the options that the command line left out the values of a YAML file, whose keys are
// their long names. An unknown key or a wrong value is an error with file and line.
Result<void> apply_config_file(CLI::App& app, const std::string& path);

} // namespace ebpfd
