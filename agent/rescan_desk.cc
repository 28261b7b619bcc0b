// SPDX-License-Identifier: Apache-2.0
#include "rescan_desk.h"

#include <sys/eventfd.h>

namespace ebpfd {

RescanDesk::RescanDesk() : wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

bool RescanDesk::ask(std::chrono::milliseconds timeout)
{
    std::promise<void> promise;
    const auto done = promise.get_future();
    {
        const std::lock_guard lock(mutex_);
        asking_.push_back(std::move(promise));
    }
    eventfd_write(wake_.get(), 1);
    return done.wait_for(timeout) == std::future_status::ready;
}

std::vector<std::promise<void>> RescanDesk::take()
{
    eventfd_t ignored;
    eventfd_read(wake_.get(), &ignored);
    const std::lock_guard lock(mutex_);
    return std::exchange(asking_, {});
}

} // namespace ebpfd
