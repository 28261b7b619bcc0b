// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "kernel/pins.h"

#include <cstdint>
#include <set>

namespace ebpfd {

// Tells programs of this agent's folder from all others: they use a map that is pinned there.
// So an older load of ours is recognised, and another agent's programs are not.
class Ownership {
public:
    explicit Ownership(const Pins& pins);
    bool owns(uint32_t program_id) const;

private:
    std::set<uint32_t> maps_;
};

} // namespace ebpfd
