// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "model/world.h"
#include "objects/decode.h"

#include <string_view>

namespace fuzz {

// Reads the text as the agent reads a file, in folders of both kinds, and again as what was read
// written down as JSON. Whatever the text, each error says where; both readings say the same.
ebpfd::FileContent read_twice(std::string_view text, ebpfd::FolderKind kind);

// The objects, in place of those of their kinds in the world.
void put(ebpfd::World& world, const ebpfd::FileContent& content);

} // namespace fuzz
