// SPDX-License-Identifier: Apache-2.0
#include "observe/observer.h"

#include "base/clock.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

namespace ebpfd {
namespace {

constexpr int64_t second_ns = 1'000'000'000;
constexpr size_t most_in_a_batch = 256; // what a reader has in its hands is its own memory

} // namespace

ReaderTally& ReaderTally::operator+=(const ReaderTally& other)
{
    offered += other.offered;
    filtered += other.filtered;
    queued += other.queued;
    sent += other.sent;
    lost += other.lost;
    return *this;
}

LiveReader::LiveReader(Observer& observer, RecordFilter filter, size_t capacity, uint64_t id)
    : observer_(observer), filter_(std::move(filter)), id_(id), since_ns_(wall_clock_ns()),
      queue_(capacity)
{
}

LiveReader::~LiveReader()
{
    observer_.leave(*this);
}

void LiveReader::offer(std::span<const AttributedEvent> records)
{
    const std::lock_guard lock(mutex_);
    if (closed_)
        return;
    for (const auto& record : records) {
        tally_.offered++;
        if (filter_.matches(record))
            tally_.lost += queue_.push(record);
        else
            tally_.filtered++;
    }
    if (!queue_.empty())
        changed_.notify_one();
}

LiveReader::Counts LiveReader::counts() const
{
    const std::lock_guard lock(mutex_);
    return {.taken = tally_.offered - tally_.filtered, .lost = tally_.lost};
}

void LiveReader::close()
{
    const std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_all();
}

void LiveReader::cut_off()
{
    const std::lock_guard lock(mutex_);
    cut_off_ = true;
}

std::optional<LiveReader::Batch> LiveReader::next(std::chrono::milliseconds timeout)
{
    std::unique_lock lock(mutex_);
    tally_.sent += std::exchange(in_hand_, 0);
    changed_.wait_for(lock, timeout, [&] { return closed_ || !queue_.empty(); });
    if (closed_ && queue_.empty())
        return std::nullopt;
    Batch batch{.records = queue_.take(most_in_a_batch),
                .lost = tally_.lost - std::exchange(lost_before_, tally_.lost)};
    in_hand_ = batch.records.size();
    return batch;
}

ReaderFacts LiveReader::facts() const
{
    const std::lock_guard lock(mutex_);
    ReaderFacts facts{.id = id_, .since_ns = since_ns_, .filter = filter_.text(), .tally = tally_};
    facts.tally.queued = queue_.size() + in_hand_;
    return facts;
}

std::pair<ReaderTally, bool> LiveReader::last_tally() const
{
    const std::lock_guard lock(mutex_);
    ReaderTally tally = tally_;
    tally.lost += queue_.size() + in_hand_;
    return {tally, cut_off_};
}

Observer::Observer(size_t recent_bytes, size_t queue_records)
    : queue_records_(queue_records), has_past_(recent_bytes > 0), names_(std::make_shared<Names>()),
      recent_(recent_bytes / sizeof(AttributedEvent))
{
}

Observer::~Observer() = default;

void Observer::set_names(std::shared_ptr<const Names> names)
{
    const std::lock_guard lock(mutex_);
    names_ = std::move(names);
    tell_watch_locked();
}

std::unique_lock<std::mutex> Observer::hold_records()
{
    return std::unique_lock(held_);
}

// The records with their names, in named_.
void Observer::name_locked(std::span<const event> records)
{
    // The offset moves when the wall clock is set; once a second of records is often enough.
    if (const uint64_t time_ns = records.front().time_ns;
        offset_read_ns_ == 0 || time_ns > offset_read_ns_ + second_ns) {
        clock_offset_ns_ = clock_offset_ns();
        offset_read_ns_ = time_ns;
    }
    named_.clear();
    for (const event& raw : records)
        named_.push_back(attribute(raw, *names_, clock_offset_ns_));
}

// To the past and to all readers.
void Observer::hand_out_locked(std::span<const event> records)
{
    if (records.empty())
        return;
    name_locked(records);
    for (const auto& record : named_)
        counts_.evicted += recent_.push(record);
    for (LiveReader* reader : readers_)
        reader->offer(named_);
    named_.clear();
}

void Observer::consume(std::span<const event> records)
{
    const std::lock_guard held(held_);
    const std::lock_guard lock(mutex_);
    counts_.consumed += records.size();
    for (const event& raw : records)
        counts_.by_type[raw.type < EVENT_TYPE_COUNT ? raw.type : 0]++;
    hand_out_locked(records);
}

void Observer::consume_swept(std::span<const event> records)
{
    const std::lock_guard held(held_);
    const std::lock_guard lock(mutex_);
    counts_.swept += records.size();
    hand_out_locked(records);
}

void Observer::set_unreadable(uint64_t records)
{
    const std::lock_guard lock(mutex_);
    counts_.unreadable = records;
}

std::vector<AttributedEvent> Observer::recent(const RecordFilter& filter, const Past& past) const
{
    const std::lock_guard lock(mutex_);
    return recent_locked(filter, past);
}

std::vector<AttributedEvent> Observer::recent_locked(const RecordFilter& filter,
                                                     const Past& past) const
{
    const int64_t oldest = past.since_ns.value_or(std::numeric_limits<int64_t>::min());
    const int64_t newest = past.until_ns.value_or(std::numeric_limits<int64_t>::max());
    std::vector<AttributedEvent> out;
    for (const RecordRing* ring : {&recent_.refusals(), &recent_.others()})
        for (size_t i = 0; i < ring->size(); i++)
            if (const auto& record = (*ring)[i];
                record.time_ns >= oldest && record.time_ns <= newest && filter.matches(record))
                out.push_back(record);
    // By the datapath's clock, which nobody sets. It is coarse: what happened within one tick stays
    // as it came.
    std::ranges::stable_sort(out, {}, [](const auto& record) { return record.raw.time_ns; });
    if (past.last && out.size() > *past.last)
        out.erase(out.begin(), out.end() - static_cast<ptrdiff_t>(*past.last));
    return out;
}

std::shared_ptr<LiveReader> Observer::subscribe(RecordFilter filter, const Past& past,
                                                std::optional<size_t> queue_records)
{
    const std::lock_guard lock(mutex_);
    auto reader = std::make_shared<LiveReader>(*this, std::move(filter),
                                               queue_records.value_or(queue_records_), next_id_++);
    reader->offer(recent_locked(reader->filter_, past));
    if (closed_)
        reader->close();
    readers_.push_back(reader.get());
    tell_watch_locked();
    return reader;
}

void Observer::leave(const LiveReader& reader)
{
    const std::lock_guard lock(mutex_);
    std::erase(readers_, &reader);
    const auto [tally, cut_off] = reader.last_tally();
    counts_.gone++;
    counts_.cut_off += cut_off ? 1 : 0;
    counts_.gone_tally += tally;
    tell_watch_locked();
}

void Observer::on_watch(std::function<void(const watch&)> tell)
{
    const std::lock_guard lock(mutex_);
    tell_watch_ = std::move(tell);
    watch_.reset();
    tell_watch_locked();
}

void Observer::tell_watch_locked()
{
    if (!tell_watch_)
        return;
    std::optional<Interest> readers;
    for (const LiveReader* reader : readers_)
        if (readers)
            *readers |= reader->filter_.interest();
        else
            readers = reader->filter_.interest();
    const watch wanted = watch_of(readers, has_past_, *names_);
    if (watch_ && std::memcmp(&wanted, &*watch_, sizeof wanted) == 0)
        return;
    watch_ = wanted;
    tell_watch_(wanted);
}

bool Observer::has_readers() const
{
    const std::lock_guard lock(mutex_);
    return !readers_.empty();
}

void Observer::close()
{
    const std::lock_guard lock(mutex_);
    closed_ = true;
    for (LiveReader* reader : readers_)
        reader->close();
}

Observer::Counts Observer::counts() const
{
    const std::lock_guard lock(mutex_);
    Counts counts = counts_;
    counts.kept = recent_.size();
    counts.readers = readers_.size();
    counts.dropped = counts.gone_tally.lost;
    for (const LiveReader* reader : readers_) {
        counts.present.push_back(reader->facts());
        counts.dropped += counts.present.back().tally.lost;
    }
    return counts;
}

} // namespace ebpfd
