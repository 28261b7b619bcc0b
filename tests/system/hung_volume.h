// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/fd.h"

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <thread>

namespace system_test {

enum class Hangs : uint8_t {
    always,
    when_opened, // it says what it is, and can be watched
};

// A file system over a folder that does not answer, as one of a server that is gone: who asks it
// waits. From give_up() on it says that it is broken.
class HungVolume {
public:
    explicit HungVolume(std::filesystem::path folder, Hangs hangs = Hangs::always);
    HungVolume(const HungVolume&) = delete;
    HungVolume& operator=(const HungVolume&) = delete;
    ~HungVolume();
    void give_up();
    // Whether somebody has tried to open the folder.
    bool was_opened() const { return was_opened_; }

private:
    void answer(const std::stop_token& stop);

    const std::filesystem::path folder_;
    ebpfd::Fd device_;
    std::atomic<bool> was_opened_ = false;
    std::jthread thread_; // where it answers at all
};

} // namespace system_test
