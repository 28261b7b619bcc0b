// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace lab {

// Whether the running kernel takes TCX links, by its version: the product never looks at that, it
// tries.
bool kernel_has_tcx();

} // namespace lab
