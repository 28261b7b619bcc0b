// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "model/plan.h"

#include <string>
#include <vector>

namespace property {

// What the plan says, line by line and sorted, with keys in place of indexes: equal for two plans
// that are to do the same.
std::vector<std::string> text_of(const ebpfd::Plan& plan);

} // namespace property
