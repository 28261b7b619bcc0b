// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "valid_texts.h"

#include <string>
#include <string_view>

// The form of a copy: one line of kind, size of the path, size and hash of the text; the path,
// a line end, the text. Paths may hold any byte.
namespace ebpfd {

// What precedes the text, at most.
inline constexpr size_t valid_head_bytes = 8192;

struct ValidHead {
    ValidTexts::Key key;
    ValidTexts::Copy copy;
    size_t length = 0; // of the head itself
};

std::string_view name_of(FolderKind kind);
std::optional<FolderKind> kind_of(std::string_view name);
// FNV-1a: the same in every build, and so in every agent that reads a copy.
uint64_t hash_of(std::string_view text);
// The name of the copy's file.
std::string valid_name(const ValidTexts::Key& key);
std::string valid_head(const ValidTexts::Key& key, const ValidTexts::Copy& copy);
// From the beginning of a copy.
Result<ValidHead> parse_valid_head(std::string_view text);

} // namespace ebpfd
