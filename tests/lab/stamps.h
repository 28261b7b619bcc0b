// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/fd.h"
#include "lab/node.h"

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace lab {

// What a packet says of itself.
struct Stamp {
    uint64_t life = 0; // of the sender's interface
    int64_t sent_ns = 0;
    uint64_t target = 0; // the number among the sender's
};

// The clock of the stamps.
int64_t now_ns();

// A pod that does not wait: as soon as there is an interface, and whenever there is another, it
// sends a UDP packet each tenth of a millisecond, up or not.
class EarlySender {
public:
    struct Target {
        Packet beginning;  // up to the IP header
        uint16_t port = 0; // at both ends
    };
    // To each target in turn.
    EarlySender(const Machine& from, std::vector<Target> targets, uint64_t life = 0);
    // Whose packets those from now on are. The interface shall be away meanwhile.
    void begin_life(uint64_t life);
    // Of this life: packets that the kernel took, and when it took the first one.
    uint64_t sent() const { return sent_; }
    int64_t first_ns() const { return first_ns_; }

private:
    void run(const std::stop_token& stop);
    void send(int fd);

    const Machine& from_;
    const std::vector<Target> targets_;
    size_t turn_ = 0;
    std::atomic<uint64_t> life_ = 0;
    std::atomic<uint64_t> sent_ = 0;
    std::atomic<int64_t> first_ns_ = 0;
    std::jthread thread_; // the last member: it uses the others
};

// Where such packets arrive.
class StampTap {
public:
    StampTap(const Machine& at, uint16_t port);
    explicit operator bool() const { return static_cast<bool>(fd_); }
    // All that have come in since the last call.
    std::vector<Stamp> take() const;

private:
    ebpfd::Fd fd_;
};

} // namespace lab
