// SPDX-License-Identifier: Apache-2.0
#include "observe/observer.h"

#include <algorithm>
#include <ctime>
#include <limits>

namespace ebpfd {
namespace {

constexpr int64_t second_ns = 1'000'000'000;

int64_t clock_ns(clockid_t clock)
{
    timespec now{};
    clock_gettime(clock, &now);
    return now.tv_sec * second_ns + now.tv_nsec;
}

} // namespace

LiveReader::LiveReader(RecordFilter filter, size_t capacity)
    : filter_(std::move(filter)), capacity_(capacity)
{
}

size_t LiveReader::offer(const AttributedEvent& record)
{
    if (!filter_.matches(record))
        return 0;
    const std::lock_guard lock(mutex_);
    // The newest is worth most: the oldest goes.
    const size_t lost = queue_.size() >= capacity_ ? 1 : 0;
    if (lost > 0)
        queue_.pop_front();
    lost_ += lost;
    counts_.lost += lost;
    counts_.taken++;
    queue_.push_back(record);
    changed_.notify_one();
    return lost;
}

LiveReader::Counts LiveReader::counts() const
{
    const std::lock_guard lock(mutex_);
    return counts_;
}

void LiveReader::close()
{
    const std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_all();
}

std::optional<LiveReader::Batch> LiveReader::next(std::chrono::milliseconds timeout)
{
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, timeout, [&] { return closed_ || !queue_.empty(); });
    if (closed_ && queue_.empty())
        return std::nullopt;
    Batch batch{.records = {}, .lost = std::exchange(lost_, 0)};
    batch.records.assign(std::make_move_iterator(queue_.begin()),
                         std::make_move_iterator(queue_.end()));
    queue_.clear();
    return batch;
}

Observer::Observer(size_t recent_bytes, size_t queue_records)
    : recent_records_(std::max<size_t>(1, recent_bytes / sizeof(AttributedEvent))),
      queue_records_(queue_records), names_(std::make_shared<Names>())
{
}

Observer::~Observer()
{
    close();
}

void Observer::set_names(std::shared_ptr<const Names> names)
{
    const std::lock_guard lock(mutex_);
    names_ = std::move(names);
}

std::unique_lock<std::mutex> Observer::hold_records()
{
    return std::unique_lock(held_);
}

void Observer::consume(const event& raw)
{
    const std::lock_guard held(held_);
    const std::lock_guard lock(mutex_);
    // The offset moves when the wall clock is set; once a second of records is often enough.
    if (offset_read_ns_ == 0 || raw.time_ns > offset_read_ns_ + second_ns) {
        clock_offset_ns_ = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC);
        offset_read_ns_ = raw.time_ns;
    }
    consumed_++;
    if (recent_.size() >= recent_records_)
        recent_.pop_front();
    recent_.push_back(attribute(raw, *names_, clock_offset_ns_));
    for (const auto& reader : readers_)
        if (const auto live = reader.lock())
            dropped_ += live->offer(recent_.back());
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
    for (auto record = recent_.rbegin(); record != recent_.rend(); ++record) {
        if (past.last && out.size() >= *past.last)
            break;
        // Two rings: neighbours may be out of order by a little, so no early end.
        if (record->time_ns >= oldest && record->time_ns <= newest && filter.matches(*record))
            out.push_back(*record);
    }
    // The datapath's clock is coarse: what happened within one tick stays as it came.
    std::ranges::reverse(out);
    std::ranges::stable_sort(out, {}, &AttributedEvent::time_ns);
    return out;
}

std::shared_ptr<LiveReader> Observer::subscribe(RecordFilter filter, const Past& past,
                                                std::optional<size_t> queue_records)
{
    const std::lock_guard lock(mutex_);
    auto reader =
        std::make_shared<LiveReader>(std::move(filter), queue_records.value_or(queue_records_));
    for (const auto& record : recent_locked(reader->filter_, past))
        reader->offer(record);
    if (closed_)
        reader->close();
    std::erase_if(readers_, [](const auto& gone) { return gone.expired(); });
    readers_.push_back(reader);
    return reader;
}

void Observer::close()
{
    const std::lock_guard lock(mutex_);
    closed_ = true;
    for (const auto& reader : readers_)
        if (const auto live = reader.lock())
            live->close();
}

Observer::Counts Observer::counts() const
{
    const std::lock_guard lock(mutex_);
    const auto live = std::ranges::count_if(readers_, [](const auto& r) { return !r.expired(); });
    return {.consumed = consumed_, .dropped = dropped_, .readers = static_cast<size_t>(live)};
}

} // namespace ebpfd
