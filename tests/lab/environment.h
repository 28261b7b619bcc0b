// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdlib>

namespace lab {

// How often a test repeats what it tries: as the variable says, or so often where it is not set.
inline size_t count_of(const char* variable, size_t otherwise)
{
    const char* set = std::getenv(variable);
    return set == nullptr ? otherwise : std::strtoull(set, nullptr, 10);
}

} // namespace lab
