// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/fd.h"

#include <functional>
#include <signal.h>
#include <thread>

namespace ebpfd::ctl {

// Ends the process with 0 on SIGINT and SIGTERM, or once nobody reads out any more: a stream
// that waits for its next event notices neither. finish is called before, if signalled. With
// out = -1 it does nothing.
class StreamEnd {
public:
    StreamEnd(int out, std::function<void()> finish);
    StreamEnd(const StreamEnd&) = delete;
    StreamEnd& operator=(const StreamEnd&) = delete;
    ~StreamEnd();

private:
    void watch(int out) const;

    std::function<void()> finish_;
    Fd signals_;
    Fd stop_;
    sigset_t mask_before_{};
    std::thread thread_;
};

} // namespace ebpfd::ctl
