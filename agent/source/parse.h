// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "model/document.h"

#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace ebpfd {

// The Kubernetes objects of a file's text, lists taken apart, in their order. A name that
// ends in .json is read as JSON, every other as YAML. The first error refuses the file.
// Nothing throws, whatever the text.
std::expected<std::vector<Document>, FileError> parse_documents(std::string_view text,
                                                                const std::string& file);

} // namespace ebpfd
