// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "observe/backlog.h"
#include "observe/filter.h"
#include "observe/record.h"

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

namespace ebpfd {

class Observer;

// What a reader asks of the past: the newest of what matches, within these times (nanoseconds
// since 1970).
struct Past {
    std::optional<size_t> last{};
    std::optional<int64_t> since_ns{};
    std::optional<int64_t> until_ns{};
};

// What became of the records offered to one reader, or to several:
// offered = filtered + queued + sent + lost, at all times.
struct ReaderTally {
    uint64_t offered = 0;
    uint64_t filtered = 0; // did not match
    uint64_t queued = 0;   // waiting, or in the reader's hands
    uint64_t sent = 0;
    uint64_t lost = 0; // made room for newer ones, or waited when the reader left

    ReaderTally& operator+=(const ReaderTally& other);
};

struct ReaderFacts {
    uint64_t id = 0; // counts the readers since the start
    int64_t since_ns = 0;
    std::string filter; // empty: everything
    ReaderTally tally;
};

// A live reader's queue; bounded: a reader that is too slow loses records, refusals last, and
// is told. It leaves by its destruction, before the observer's.
class LiveReader {
public:
    LiveReader(Observer& observer, RecordFilter filter, size_t capacity, uint64_t id);
    LiveReader(const LiveReader&) = delete;
    LiveReader& operator=(const LiveReader&) = delete;
    ~LiveReader();

    struct Batch {
        std::vector<AttributedEvent> records;
        uint64_t lost = 0; // in front of the records, since the last batch
    };
    // Waits up to timeout; an empty batch if nothing came, no value once the source is closed
    // and everything was handed over. The call says that the batch before was sent.
    std::optional<Batch> next(std::chrono::milliseconds timeout);
    // The reader is to go because it took nothing for too long.
    void cut_off();

    struct Counts {
        uint64_t taken = 0; // records that passed its filter
        uint64_t lost = 0;  // of those, the ones it was too slow for
    };
    Counts counts() const;

private:
    friend class Observer;
    void offer(std::span<const AttributedEvent> records);
    void close();
    ReaderFacts facts() const;
    // The facts at its end: what waits is lost. Whether it was cut off.
    std::pair<ReaderTally, bool> last_tally() const;

    Observer& observer_;
    const RecordFilter filter_;
    const uint64_t id_;
    const int64_t since_ns_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    Backlog queue_;
    ReaderTally tally_;        // without queued
    uint64_t in_hand_ = 0;     // records of the last batch
    uint64_t lost_before_ = 0; // what of lost was told already
    bool closed_ = false;
    bool cut_off_ = false;
};

// Takes the datapath's records, names them, keeps the newest and hands them to live readers.
// Every method may be called from any thread.
class Observer {
public:
    // recent_bytes bounds the memory of the past (0: none is kept), queue_records that of each
    // live reader. Names are shared with the agent's own; those of what is gone live on with
    // the records that have them.
    explicit Observer(size_t recent_bytes = 4 << 20, size_t queue_records = 4096);
    ~Observer();

    // The names that records have from now on.
    void set_names(std::shared_ptr<const Names> names);
    // While held, consume() waits: for whoever changes what the numbers stand for.
    [[nodiscard]] std::unique_lock<std::mutex> hold_records();
    // Records that came together; one call for many saves what each costs.
    void consume(std::span<const event> records);
    void consume(const event& raw) { consume(std::span(&raw, 1)); }
    // The same for ends of flows that the agent itself has found out: no ring had them.
    void consume_swept(std::span<const event> records);
    // How many records could not be read so far.
    void set_unreadable(uint64_t records);

    // Oldest first.
    std::vector<AttributedEvent> recent(const RecordFilter& filter, const Past& past) const;
    // A live reader, which first gets what it asks of the past: no record is missed between.
    // queue_records: room for so many, in place of the default.
    std::shared_ptr<LiveReader> subscribe(RecordFilter filter, const Past& past,
                                          std::optional<size_t> queue_records = {});
    // Whether there are live readers now.
    bool has_readers() const;
    // Ends all subscriptions, those to come too.
    void close();
    // Calls tell, one call at a time, with what readers and the past want of the datapath: now,
    // and whenever that changes.
    void on_watch(std::function<void(const watch&)> tell);

    struct Counts {
        uint64_t consumed = 0;                            // records of the rings
        std::array<uint64_t, EVENT_TYPE_COUNT> by_type{}; // the same; [0]: of unknown type
        uint64_t swept = 0;                               // records of no ring
        uint64_t unreadable = 0;
        uint64_t kept = 0;                // of the past
        uint64_t evicted = 0;             // made room in the past
        uint64_t dropped = 0;             // records that slow readers lost
        size_t readers = 0;               // there now
        std::vector<ReaderFacts> present; // the same, by id
        uint64_t gone = 0;                // readers
        uint64_t cut_off = 0;             // of them
        ReaderTally gone_tally;           // of them together
    };
    Counts counts() const;

private:
    friend class LiveReader;
    void leave(const LiveReader& reader);
    std::vector<AttributedEvent> recent_locked(const RecordFilter& filter, const Past& past) const;
    void name_locked(std::span<const event> records);
    void hand_out_locked(std::span<const event> records);
    void tell_watch_locked();

    const size_t queue_records_;
    const bool has_past_;
    std::mutex held_; // taken before mutex_, which is taken before a reader's
    mutable std::mutex mutex_;
    std::shared_ptr<const Names> names_;
    Backlog recent_;
    std::vector<AttributedEvent> named_; // those of one consume(), kept for their memory
    std::vector<LiveReader*> readers_;
    std::function<void(const watch&)> tell_watch_;
    std::optional<watch> watch_; // told last
    Counts counts_;              // without what is there now
    uint64_t next_id_ = 1;
    int64_t clock_offset_ns_ = 0;
    uint64_t offset_read_ns_ = 0; // when, by the records' clock
    bool closed_ = false;
};

} // namespace ebpfd
