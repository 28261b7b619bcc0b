// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "kernel/attachment.h"
#include "kernel/hook.h"
#include "kernel/pins.h"
#include "kernel/state.h"

#include <optional>
#include <vector>

namespace ebpfd {

// The change from what an earlier agent left pinned to what this one has loaded, which waits under
// Pins::NEXT. Until it is committed the earlier programs can go on as if nothing had happened.
class Upgrade {
public:
    // Forgets what an interrupted one left.
    static Result<Upgrade> begin(const Pins& pins);

    // What waits takes its place. A start that is interrupted in here is completed by the next one
    // of this layout; agents of the earlier layout refuse what they find.
    Result<void> commit(State& state) const;
    // The earlier programs run on these interfaces again, and what waits is removed. Where that
    // cannot be, the new programs stay, known for ours by their pins, for the next start.
    void roll_back(AttachMode mode, const std::vector<uint32_t>& endpoints) const;

private:
    // Whether all of them have the earlier programs again.
    bool restore(AttachMode mode, const std::vector<uint32_t>& endpoints) const;

    Pins pins_;
    std::optional<Programs> previous_; // none: this is a first start, or follows one cut short
};

} // namespace ebpfd
