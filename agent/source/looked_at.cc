// SPDX-License-Identifier: Apache-2.0
#include "source/looked_at.h"

namespace ebpfd {

LookedAt::Look::Look(LookedAt* place, const std::string& folder) : place_(place)
{
    if (place_)
        place_->set(folder);
}

LookedAt::Look::~Look()
{
    if (place_)
        place_->set({});
}

void LookedAt::set(const std::string& folder)
{
    {
        const std::lock_guard lock(mutex_);
        folder_ = folder;
        ++changes_;
    }
    ended_.notify_all();
}

std::optional<LookedAt::Long> LookedAt::wait_for_long(const std::stop_token& stop,
                                                      std::chrono::milliseconds time)
{
    std::unique_lock lock(mutex_);
    for (;;) {
        const uint64_t seen = changes_;
        pause_.wait_for(lock, stop, time, [] { return false; });
        if (stop.stop_requested())
            return std::nullopt;
        if (!folder_.empty() && changes_ == seen)
            return Long{.folder = folder_, .number = seen};
    }
}

void LookedAt::wait_for_end(const Long& look, const std::stop_token& stop)
{
    std::unique_lock lock(mutex_);
    ended_.wait(lock, stop, [&] { return changes_ != look.number; });
}

} // namespace ebpfd
