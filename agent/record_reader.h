// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "kernel/datapath.h"
#include "observe/observer.h"

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace ebpfd {

// The thread that drains the rings into the observer.
class RecordReader {
public:
    RecordReader(Datapath& datapath, Observer& observer);
    ~RecordReader();

private:
    void run(const std::stop_token& stop);
    void drain_once(const std::stop_token& stop);
    void flush();

    Datapath& datapath_;
    Observer& observer_;
    std::mutex mutex_;
    std::condition_variable_any woken_;
    std::vector<event> batch_; // on its way to the observer
    uint64_t untaken_ = 0;     // records, for want of memory
    bool failing_ = false;     // said so in the log
    std::jthread thread_;
};

} // namespace ebpfd
