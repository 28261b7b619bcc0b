// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/result.h"
#include "ebpfd/state.h"

#include <cstdint>
#include <memory>

namespace ebpfd {

// The datapath's state, mapped into memory: each store is seen by the next packet.
class State {
public:
    // fd: of the state map, which must be writable.
    static Result<State> map(int fd);

    uint32_t generation() const;
    // The store that switches the node: all that was written before it is in force after it.
    void set_generation(uint32_t generation);
    // From now on no packet is judged under an earlier one than that in force.
    void set_settled();
    bool audit() const;
    void set_audit(bool audit);
    // From now on the maps are of this agent's layout.
    void set_layout();
    void set_watch(const watch& wanted);
    datapath_state snapshot() const { return *mapped_; }
    // Numbers below these may be in use from now on.
    void set_next(uint32_t next_ruleset, uint32_t next_identity);

private:
    struct Unmap {
        void operator()(datapath_state* mapped) const;
    };
    std::unique_ptr<datapath_state, Unmap> mapped_;
};

} // namespace ebpfd
