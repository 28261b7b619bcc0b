// SPDX-License-Identifier: Apache-2.0
#include "observe/flow_log.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <spdlog/spdlog.h>

namespace ebpfd {
namespace {

using namespace std::chrono_literals;

constexpr auto batch_wait = 200ms;
constexpr auto room_wait = 200ms;
constexpr auto retry_interval = 1s;

Past nothing_past()
{
    Past past;
    past.last = 0;
    return past;
}

// A FIFO whose reader has gone is an error of write() alone.
void ignore_broken_pipes()
{
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
}

} // namespace

FlowLog::FlowLog(Observer& observer, FlowLogOptions options)
    : path_(options.file.path), file_(std::move(options.file)),
      reader_(observer.subscribe(std::move(options.filter), nothing_past(), options.queue)),
      thread_([this](const std::stop_token& stop) { run(stop); })
{
}

FlowLog::~FlowLog() = default; // jthread asks for the stop and joins

void FlowLog::run(const std::stop_token& stop)
{
    ignore_broken_pipes();
    // A wrong name shall be known at once, not with the first record.
    if (auto opened = file_.open(); !opened)
        note_error(opened.error().message);
    while (const auto batch = reader_->next(batch_wait)) {
        if (reopen_.exchange(false))
            if (auto opened = file_.open(); !opened)
                note_error(opened.error().message);
        write(*batch, stop);
        if (stop.stop_requested() && batch->records.empty())
            return;
    }
}

void FlowLog::write(const LiveReader::Batch& batch, const std::stop_token& stop)
{
    Chunk chunk;
    for (const auto& record : batch.records) {
        std::string line = to_json_line(record);
        if (chunk.records > 0 && chunk.lines.size() + line.size() > file_.chunk_bytes())
            flush(chunk, stop);
        chunk.lines += line;
        chunk.records++;
    }
    if (chunk.records > 0)
        flush(chunk, stop);
}

// Leaves an empty chunk: everything was written, or the end has come.
void FlowLog::flush(Chunk& chunk, const std::stop_token& stop)
{
    while (chunk.records > 0) {
        const auto outcome = file_.append(chunk.lines);
        advance(chunk, outcome.bytes);
        if (outcome.error && !wait_after(*outcome.error, stop))
            break;
    }
    const std::lock_guard lock(mutex_);
    counts_.dropped += std::exchange(chunk.records, 0);
    chunk.lines.clear();
}

void FlowLog::advance(Chunk& chunk, size_t bytes)
{
    const auto end = chunk.lines.begin() + static_cast<std::ptrdiff_t>(bytes);
    const auto records = static_cast<uint64_t>(std::count(chunk.lines.begin(), end, '\n'));
    chunk.lines.erase(chunk.lines.begin(), end);
    chunk.records -= records;
    const std::lock_guard lock(mutex_);
    counts_.written += records;
    counts_.bytes += bytes;
    counts_.rotations = file_.rotations();
    if (records > 0 && !counts_.error.empty()) {
        counts_.error.clear();
        spdlog::info("flow log {}: records are written again", path_);
    }
}

bool FlowLog::wait_after(const Error& error, const std::stop_token& stop)
{
    if (error.code == EAGAIN && !stop.stop_requested()) {
        file_.wait_for_room(room_wait);
        return true;
    }
    note_error(error.message);
    std::unique_lock lock(mutex_);
    stopped_.wait_for(lock, stop, retry_interval, [] { return false; });
    return !stop.stop_requested();
}

void FlowLog::note_error(const std::string& message)
{
    const std::lock_guard lock(mutex_);
    counts_.errors++;
    if (counts_.error != message)
        spdlog::error("flow log: {}; records are counted and dropped until it works", message);
    counts_.error = message;
}

FlowLog::Counts FlowLog::counts() const
{
    const std::lock_guard lock(mutex_);
    // Read before the reader's: what moves on meanwhile counts as queued.
    Counts out = counts_;
    const auto reader = reader_->counts();
    out.taken = reader.taken;
    out.dropped += reader.lost;
    out.queued = out.taken - out.written - out.dropped;
    return out;
}

} // namespace ebpfd
