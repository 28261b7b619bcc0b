// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "analysis/findings.h"
#include "model/world.h"

#include <vector>

namespace ebpfd {

// What can be proved of policies as they are written, whatever pods there are: a rule contained
// in an earlier one that comes first wherever it does, contradictions at equal priority, objects
// that are there twice, peers that are not enforced. Of several policies with one key, only the
// last one of the World counts. In the order of places.
std::vector<Finding> lint_as_written(const World& world);

// The same, by all pods of the World's inventory: whether each rule can ever decide.
std::vector<Finding> lint_by_inventory(const World& world);

} // namespace ebpfd
