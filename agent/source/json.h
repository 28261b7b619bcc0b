// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "model/document.h"

#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace ebpfd {

// The JSON values of the text, one after the other; null ones are left out.
std::expected<std::vector<Value>, FileError> parse_json(std::string_view text,
                                                        const std::string& file);

} // namespace ebpfd
