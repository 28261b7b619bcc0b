// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/fd.h"
#include "base/result.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ebpfd {

struct LineFileOptions {
    std::string path;
    uint64_t max_bytes = 100 << 20; // then it becomes PATH.1, PATH.1 becomes PATH.2 …
    uint32_t kept_files = 5;        // of those; 0: it starts anew
};

// A file that grows by whole lines and is rotated by size. May be a FIFO or a character device
// too: those are not rotated, and never waited for. Used by one thread.
class LineFile {
public:
    explicit LineFile(LineFileOptions options) : options_(std::move(options)) {}

    // Opens it, made if missing with mode 0600, or opens it again by its name. No symbolic link
    // is followed.
    Result<void> open();

    struct Outcome {
        size_t bytes = 0; // that are in the file: always whole lines
        std::optional<Error> error;
    };
    // Appends lines, each with its end, and opens the file first if need be. What could not be
    // written may be handed over again; EAGAIN: a consumer is slow.
    Outcome append(std::string_view lines);

    // Until it takes more, or the time is up.
    void wait_for_room(std::chrono::milliseconds timeout) const;
    // So much is best handed over at once; a FIFO takes that in one piece or not at all.
    size_t chunk_bytes() const;
    uint64_t rotations() const { return rotations_; }

private:
    Result<void> prepare(size_t bytes);
    Result<void> rotate();
    std::string rotated(uint32_t number) const;
    bool ends_torn(uint64_t size) const;
    size_t keep_whole_lines(std::string_view written);

    const LineFileOptions options_;
    Fd fd_;
    bool regular_ = false;
    bool torn_ = false; // the last line has no end
    uint64_t rotations_ = 0;
};

} // namespace ebpfd
