// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "source/looked_at.h"

#include <memory>
#include <thread>

namespace ebpfd {

// Says in the log which folder keeps the main loop waiting, where its file system does not answer,
// and lets SIGTERM and SIGINT end the process meanwhile. At a start nobody else can say it. A
// thread of its own as long as this lives.
class FolderVigil {
public:
    explicit FolderVigil(std::shared_ptr<LookedAt> looked_at);

private:
    void run(const std::stop_token& stop) const;

    std::shared_ptr<LookedAt> looked_at_;
    std::jthread thread_;
};

} // namespace ebpfd
