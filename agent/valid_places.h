// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "valid_texts.h"

#include <string>
#include <string_view>

// The form of what is remembered of folders: one line of a mark, how many there are and a hash of
// the rest; then for each a line of kind, device, inode, birth and size of its path, and the path.
namespace ebpfd {

std::string text_of(const ValidTexts::Places& places);
// An error's message says what is wrong with it.
Result<ValidTexts::Places> parse_places(std::string_view text);

} // namespace ebpfd
