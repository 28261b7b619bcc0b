// SPDX-License-Identifier: Apache-2.0
#include "kernel/state.h"

#include <atomic>
#include <sys/mman.h>

namespace ebpfd {

void State::Unmap::operator()(datapath_state* mapped) const
{
    munmap(mapped, sizeof(datapath_state));
}

Result<State> State::map(int fd)
{
    void* mapped = mmap(nullptr, sizeof(datapath_state), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (mapped == MAP_FAILED)
        return fail_errno("map state into memory");
    State state;
    state.mapped_.reset(static_cast<datapath_state*>(mapped));
    return state;
}

uint32_t State::generation() const
{
    return std::atomic_ref(mapped_->generation).load(std::memory_order_acquire);
}

void State::set_generation(uint32_t generation)
{
    std::atomic_ref(mapped_->generation).store(generation, std::memory_order_release);
}

void State::set_settled()
{
    std::atomic_ref(mapped_->settled).store(generation(), std::memory_order_release);
}

bool State::audit() const
{
    return std::atomic_ref(mapped_->audit).load(std::memory_order_relaxed) != 0;
}

void State::set_audit(bool audit)
{
    std::atomic_ref(mapped_->audit).store(audit ? 1 : 0, std::memory_order_release);
}

void State::set_layout()
{
    std::atomic_ref(mapped_->layout).store(DATAPATH_LAYOUT, std::memory_order_release);
}

void State::set_next(uint32_t next_ruleset, uint32_t next_identity)
{
    mapped_->next_ruleset = next_ruleset;
    mapped_->next_identity = next_identity;
}

void State::set_watch(const watch& wanted)
{
    mapped_->watch = wanted;
}

} // namespace ebpfd
