// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "model/plan.h"

#include <string>
#include <vector>

namespace property {

// What the kernel's maps could not hold as it stands: keys that occur twice, indexes without
// a target, bits without a rule. Empty for a plan that apply() may rely on.
std::vector<std::string> malformations(const ebpfd::Plan& plan);

} // namespace property
