// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "observe/filter.h"
#include "observe/record.h"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace ebpfd {

// What a reader asks of the past: the newest of what matches, within these times (nanoseconds
// since 1970).
struct Past {
    std::optional<size_t> last{};
    std::optional<int64_t> since_ns{};
    std::optional<int64_t> until_ns{};
};

// A live reader's queue; bounded: a reader that is too slow loses records and is told.
class LiveReader {
public:
    explicit LiveReader(RecordFilter filter, size_t capacity);

    struct Batch {
        std::vector<AttributedEvent> records;
        uint64_t lost = 0; // in front of the records, since the last batch
    };
    // Waits up to timeout; an empty batch if nothing came, no value once the source is closed
    // and everything was handed over.
    std::optional<Batch> next(std::chrono::milliseconds timeout);

    struct Counts {
        uint64_t taken = 0; // records that passed its filter
        uint64_t lost = 0;  // of those, the ones it was too slow for
    };
    Counts counts() const;

private:
    friend class Observer;
    // Returns how many records were lost by it.
    size_t offer(const AttributedEvent& record);
    void close();

    const RecordFilter filter_;
    const size_t capacity_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<AttributedEvent> queue_;
    uint64_t lost_ = 0; // since the last batch
    Counts counts_;
    bool closed_ = false;
};

// Takes the datapath's records, names them, keeps the newest and hands them to live readers.
// Every method may be called from any thread.
class Observer {
public:
    // recent_bytes bounds the memory of the past, queue_records that of each live reader.
    explicit Observer(size_t recent_bytes = 4 << 20, size_t queue_records = 4096);
    ~Observer();

    // The names that records have from now on.
    void set_names(std::shared_ptr<const Names> names);
    // While held, consume() waits: for whoever changes what the numbers stand for.
    [[nodiscard]] std::unique_lock<std::mutex> hold_records();
    void consume(const event& raw);

    // Oldest first.
    std::vector<AttributedEvent> recent(const RecordFilter& filter, const Past& past) const;
    // A live reader, which first gets what it asks of the past: no record is missed between.
    // queue_records: room for so many, in place of the default.
    std::shared_ptr<LiveReader> subscribe(RecordFilter filter, const Past& past,
                                          std::optional<size_t> queue_records = {});
    // Ends all subscriptions, those to come too.
    void close();

    struct Counts {
        uint64_t consumed = 0; // records taken
        uint64_t dropped = 0;  // records that slow readers lost
        size_t readers = 0;
    };
    Counts counts() const;

private:
    std::vector<AttributedEvent> recent_locked(const RecordFilter& filter, const Past& past) const;

    const size_t recent_records_;
    const size_t queue_records_;
    std::mutex held_; // taken before mutex_
    mutable std::mutex mutex_;
    std::shared_ptr<const Names> names_;
    std::deque<AttributedEvent> recent_;
    std::vector<std::weak_ptr<LiveReader>> readers_;
    int64_t clock_offset_ns_ = 0;
    uint64_t offset_read_ns_ = 0; // when, by the records' clock
    uint64_t consumed_ = 0;
    uint64_t dropped_ = 0;
    bool closed_ = false;
};

} // namespace ebpfd
