// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "model/document.h"

#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace ebpfd {

// The documents of YAML text, empty ones left out. The text is valid UTF-8 without control
// characters (check_text()).
std::expected<std::vector<Value>, FileError> parse_yaml(std::string_view text,
                                                        const std::string& file);

} // namespace ebpfd
