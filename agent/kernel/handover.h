// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/result.h"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

namespace ebpfd {

// Works on interfaces one at a time, on a thread of its own, in quiet moments: what is done to
// them holds the network lock for tens of milliseconds, which no new pod should wait for.
class Handover {
public:
    using Work = std::function<Result<void>(uint32_t ifindex)>;
    explicit Handover(Work work);

    void add(uint32_t ifindex);
    // Returns once nothing is done to the interface any more.
    void remove(uint32_t ifindex);

private:
    using Clock = std::chrono::steady_clock;
    struct Waiting {
        uint32_t ifindex;
        Clock::time_point since;
    };
    void run(const std::stop_token& stop);
    // When to begin, of a queue that is not empty.
    Clock::time_point due() const;

    const Work work_;
    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::deque<Waiting> waiting_; // the oldest first
    std::optional<uint32_t> busy_;
    std::jthread thread_; // the last member: it uses the others
};

} // namespace ebpfd
