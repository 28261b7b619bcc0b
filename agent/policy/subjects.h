// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ebpfd/verdict.h"
#include "model/world.h"

#include <array>
#include <string>
#include <vector>

namespace ebpfd {

// A local interface and the policies that isolate its pod, by direction, in the order of
// their keys.
struct Subject {
    const LocalInterface* local = nullptr;
    std::array<std::vector<const NetworkPolicy*>, DIRECTION_COUNT> policies;
};

// All local interfaces in the order of their numbers. Of policies with one key, the one
// written last counts.
std::vector<Subject> find_subjects(const World& world, std::vector<std::string>& warnings);

} // namespace ebpfd
