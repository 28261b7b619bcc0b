// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/fd.h"
#include "base/result.h"
#include "ebpfd/event.h"

#include <array>
#include <atomic>
#include <bpf/libbpf.h>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace ebpfd {

// A record as it lies in a ring; nothing if it is of another size.
std::optional<event> read_record(const void* data, size_t size);

// The reader of both rings. Wakes up when the datapath says so, which it does sparsely, and when
// the time is up; then takes what there is, refusals first and again between a few of the rest: a
// flood of those keeps no refusal waiting.
class Rings {
public:
    using Sink = std::function<void(ring, const event&)>;

    // folder: where the rings are pinned. One reader at a time.
    static Result<std::unique_ptr<Rings>> open(const std::string& folder);
    // Returns how many records there were; more may have come meanwhile.
    Result<size_t> drain(std::chrono::milliseconds timeout, const Sink& sink);
    // Records of another size, since the start. From any thread.
    uint64_t unreadable() const { return unreadable_.load(std::memory_order_relaxed); }

private:
    struct Free {
        void operator()(ring_buffer* buffer) const { ring_buffer__free(buffer); }
    };
    struct Source {
        Rings* rings = nullptr;
        ring which = RING_REFUSALS;
        Fd map;
        std::unique_ptr<ring_buffer, Free> buffer;
    };
    Result<void> add(ring which, const std::string& path);
    Result<bool> take(ring which, size_t most);
    static int receive(void* context, void* data, size_t size);

    std::array<Source, RING_COUNT> sources_;
    Fd epoll_;
    const Sink* sink_ = nullptr; // during a drain
    size_t received_ = 0;
    size_t allowed_ = 0; // records that the ring at hand may still give
    bool more_ = false;  // the last drain left some
    std::atomic<uint64_t> unreadable_ = 0;
};

} // namespace ebpfd
