// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/fd.h"
#include "kernel/pins.h"

#include <cstdint>
#include <set>

namespace ebpfd {

// The kernel's number of a program; 0 if the descriptor is none.
uint32_t program_id(const Fd& program);

// Tells programs of this agent's folder from all others: they were pinned there when this object
// was made, by this load or the one before, or use a map that is pinned there. So an older load of
// ours is recognised, and another agent's programs are not. To look at a program's maps takes
// CAP_SYS_ADMIN.
class Ownership {
public:
    explicit Ownership(const Pins& pins);
    bool owns(uint32_t program_id) const;

private:
    std::set<uint32_t> maps_;
    std::set<uint32_t> programs_;
};

} // namespace ebpfd
