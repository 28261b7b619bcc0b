// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/fd.h"

#include <chrono>
#include <future>
#include <mutex>
#include <vector>

namespace ebpfd {

// Where the API's threads ask the main loop for a rescan and wait for its end.
class RescanDesk {
public:
    RescanDesk();

    // Whether the rescan was done within the time; any thread.
    bool ask(std::chrono::milliseconds timeout);

    // For the main loop: readable while somebody asks.
    int fd() const { return wake_.get(); }
    // Those who ask now; to be told once all that lies in the folders is in force.
    std::vector<std::promise<void>> take();

private:
    Fd wake_;
    std::mutex mutex_;
    std::vector<std::promise<void>> asking_;
};

} // namespace ebpfd
