// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "model/document.h"

#include <optional>
#include <string>
#include <string_view>

namespace ebpfd {

// The first byte that no YAML or JSON text holds: NUL and other control characters, or
// what is not UTF-8.
std::optional<FileError> check_text(std::string_view text, const std::string& file);

} // namespace ebpfd
