// SPDX-License-Identifier: Apache-2.0
#include "record_reader.h"

#include "base/memory.h"

#include <spdlog/spdlog.h>

namespace ebpfd {
namespace {

using namespace std::chrono_literals;

// The datapath wakes the reader up only when much is waiting.
constexpr auto drain_interval = 50ms; // while somebody follows
constexpr auto idle_drain_interval = 250ms;
constexpr auto retry_interval = 1s;
constexpr size_t batch_records = 256;

} // namespace

RecordReader::RecordReader(Datapath& datapath, Observer& observer)
    : datapath_(datapath), observer_(observer),
      thread_([this](const std::stop_token& stop) { run(stop); })
{
}

RecordReader::~RecordReader() = default; // jthread asks for the stop and joins

void RecordReader::run(const std::stop_token& stop)
{
    while (!stop.stop_requested())
        drain_once(stop);
}

void RecordReader::flush()
{
    const auto taken = unless_out_of_memory("take records", [this]() -> Result<void> {
        observer_.consume(batch_);
        return {};
    });
    if (!taken)
        untaken_ += batch_.size();
    batch_.clear();
}

void RecordReader::drain_once(const std::stop_token& stop)
{
    const auto interval = observer_.has_readers() ? drain_interval : idle_drain_interval;
    const auto drained = datapath_.drain(interval, [&](ring, const event& raw) {
        batch_.push_back(raw);
        if (batch_.size() == batch_records)
            flush();
    });
    flush();
    observer_.set_unreadable(datapath_.unreadable() + untaken_);
    if (drained) {
        failing_ = false;
        return;
    }
    if (!std::exchange(failing_, true))
        spdlog::error("records of connections are not read: {}", drained.error().message);
    std::unique_lock lock(mutex_);
    woken_.wait_for(lock, stop, retry_interval, [] { return false; });
}

} // namespace ebpfd
