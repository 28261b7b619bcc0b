// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/result.h"

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <sys/stat.h>

namespace ebpfd {

inline constexpr size_t MAX_FILE_BYTES = size_t{32} << 20;

// Two equal stamps mean equal content, unless the file changed twice within one tick of the
// file system's clock.
struct FileStamp {
    uint64_t device = 0;
    uint64_t inode = 0;
    int64_t size = 0;
    int64_t modified_ns = 0; // since 1970
    int64_t changed_ns = 0;

    bool operator==(const FileStamp&) const = default;
    static FileStamp of(const struct stat& status);
};

struct FileText {
    std::string text;
    FileStamp stamp; // of the file before it was read
};

// Reads a regular file, symbolic links followed. A larger file than the limit is not read,
// a FIFO or a device not waited for. The error's code is errno, or 0 where the file itself
// is refused; its message does not name the file.
Result<FileText> read_file(const std::string& path, size_t limit = MAX_FILE_BYTES);

} // namespace ebpfd
