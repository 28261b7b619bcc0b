// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/fd.h"
#include "base/result.h"

#include <chrono>
#include <optional>

// What wakes the main loop.
namespace ebpfd {

// Waits for any of several descriptors.
class Epoll {
public:
    static Result<Epoll> make();
    Result<void> add(int fd);
    // Returns when one of them is readable, or the time is up; whether one is readable.
    Result<bool> wait(std::optional<std::chrono::milliseconds> timeout);

private:
    explicit Epoll(Fd fd) : fd_(std::move(fd)) {}
    Fd fd_;
};

// SIGTERM, SIGINT and SIGHUP as a descriptor; blocked for this thread and those it starts.
class Signals {
public:
    static Result<Signals> block();
    int fd() const { return fd_.get(); }
    // One that has arrived, if any.
    std::optional<int> next();

private:
    explicit Signals(Fd fd) : fd_(std::move(fd)) {}
    Fd fd_;
};

// A descriptor that becomes readable again and again.
class Ticker {
public:
    static Result<Ticker> every(std::chrono::microseconds interval);
    int fd() const { return fd_.get(); }
    // Whether it has ticked since the last call.
    bool ticked();

private:
    explicit Ticker(Fd fd) : fd_(std::move(fd)) {}
    Fd fd_;
};

} // namespace ebpfd
