// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "observe/line_file.h"
#include "observe/observer.h"

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

namespace ebpfd {

struct FlowLogOptions {
    LineFileOptions file;
    size_t queue = 16384; // records that wait to be written
    RecordFilter filter;
};

// Writes records to a file, one object a line, on a thread of its own. When the file takes no
// more, or is slow, records wait in a bounded queue; the oldest give way, and are counted.
class FlowLog {
public:
    FlowLog(Observer& observer, FlowLogOptions options);
    // Writes what still waits, unless that fails.
    ~FlowLog();

    // The file is opened again by its name: for those who rotate it by other means.
    void reopen() { reopen_ = true; }

    // taken = written + dropped + queued.
    struct Counts {
        uint64_t taken = 0; // records that passed the filter
        uint64_t written = 0;
        uint64_t dropped = 0;
        uint64_t queued = 0;
        uint64_t bytes = 0;  // written
        uint64_t errors = 0; // attempts to write that failed
        uint64_t rotations = 0;
        std::string error; // why nothing is written at present, or empty
    };
    Counts counts() const;

private:
    // Lines that wait to be handed over, and how many there are.
    struct Chunk {
        std::string lines;
        uint64_t records = 0;
    };
    void run(const std::stop_token& stop);
    void write(const LiveReader::Batch& batch, const std::stop_token& stop);
    void flush(Chunk& chunk, const std::stop_token& stop);
    void advance(Chunk& chunk, size_t bytes);
    // Whether to try once more.
    bool wait_after(const Error& error, const std::stop_token& stop);
    void note_error(const std::string& message);

    const std::string path_;
    LineFile file_; // the thread's alone
    std::shared_ptr<LiveReader> reader_;
    std::atomic<bool> reopen_ = false;
    mutable std::mutex mutex_; // of what follows
    std::condition_variable_any stopped_;
    Counts counts_; // without what the reader counts
    std::jthread thread_;
};

} // namespace ebpfd
