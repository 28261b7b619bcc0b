// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "source/looked_at.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

namespace ebpfd {

// Says which folder keeps the agent waiting, where its file system does not answer, and lets
// SIGTERM and SIGINT end the process meanwhile. A thread of its own as long as this lives.
class FolderVigil {
public:
    // told: of each folder that keeps it waiting, and of nothing once that has answered; by the
    // thread.
    using Told = std::function<void(const std::optional<std::string>& folder)>;
    FolderVigil(std::shared_ptr<LookedAt> looked_at, Told told);

private:
    void run(const std::stop_token& stop) const;

    std::shared_ptr<LookedAt> looked_at_;
    Told told_;
    std::jthread thread_;
};

} // namespace ebpfd
