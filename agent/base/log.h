// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/result.h"

#include <spdlog/spdlog.h>
#include <string>
#include <string_view>

// Levels: error needs a person, warn still enforces but degraded, info a change of state,
// debug the rest. Log with spdlog::info("{}", ...) and its like.
namespace ebpfd {

// Directs the log to stderr. level: error, warn, info or debug; format: text or json. Where stderr is
// the journal, lines begin with their level as sd-daemon(3) has it, and those of text have no time.
Result<void> setup_logging(std::string_view level, std::string_view format);

// Before that: lines to stderr as they are, to the journal as errors.
void print_errors(const std::string& lines);

} // namespace ebpfd
