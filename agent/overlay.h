// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/result.h"
#include "model/document.h"
#include "model/world.h"
#include "proposal.h"

#include <string>
#include <vector>

namespace ebpfd {

// The World with a proposal in it. With errors, it is the World as it was.
struct Overlay {
    World world;
    std::vector<std::string> added; // policies, as "ns/name" or "KIND/name"
    std::vector<std::string> replaced;
    std::vector<std::string> removed;
    std::vector<FileError> errors;
    std::vector<std::string> notes; // documents that were skipped, and what is not enforced
};

// Replaces what has the same kind, namespace and name, adds the rest, and takes out what is to
// be removed. ENOENT: there is nothing of that name to remove.
Result<Overlay> overlay(const World& world, const Proposal& proposal);

} // namespace ebpfd
