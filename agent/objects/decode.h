// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "model/document.h"
#include "objects/objects.h"

#include <cstdint>
#include <vector>

namespace ebpfd {

enum class FolderKind : uint8_t { policy, inventory };

// The objects of one file in a folder of that kind. Documents that do not belong there are
// skipped with a note; one that cannot be used makes the file unusable.
FileContent decode_documents(const std::vector<Document>& documents, FolderKind kind);

} // namespace ebpfd
