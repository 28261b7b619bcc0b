// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

namespace ebpfd {

// The folder that a watcher looks at just now, for another thread that sees whether that takes
// long: no system call that looks at a file has a time limit.
class LookedAt {
public:
    // One look: as long as this lives.
    class Look {
    public:
        // place: nullptr where nobody wants to know.
        Look(LookedAt* place, const std::string& folder);
        Look(const Look&) = delete;
        Look& operator=(const Look&) = delete;
        ~Look();

    private:
        LookedAt* place_;
    };

    struct Long {
        std::string folder;
        uint64_t number = 0; // of the look
    };
    // Waits for a look that takes longer than this, and comes back within twice that time. Nothing:
    // told to stop.
    std::optional<Long> wait_for_long(const std::stop_token& stop, std::chrono::milliseconds time);
    // Until that look has ended, or told to stop.
    void wait_for_end(const Long& look, const std::stop_token& stop);

private:
    void set(const std::string& folder);

    std::mutex mutex_;
    std::condition_variable_any pause_; // nobody is woken by a look that is short
    std::condition_variable_any ended_;
    std::string folder_; // empty: none
    uint64_t changes_ = 0;
};

} // namespace ebpfd
