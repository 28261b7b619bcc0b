// SPDX-License-Identifier: Apache-2.0
#include "source/read.h"

#include "base/fd.h"
#include "base/memory.h"

#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace ebpfd {

namespace {

int64_t nanoseconds(const timespec& time)
{
    return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

std::string size_text(uint64_t bytes)
{
    constexpr uint64_t mebibyte = 1 << 20;
    if (bytes % mebibyte != 0 && bytes < 10 * mebibyte)
        return fmt::format("{} bytes", bytes);
    return fmt::format("{} MiB", (bytes + mebibyte - 1) / mebibyte);
}

Result<void> check_status(const struct stat& status, size_t limit)
{
    if (S_ISDIR(status.st_mode))
        return fail_errno("read", EISDIR);
    if (!S_ISREG(status.st_mode))
        return fail(0, "not a regular file");
    const auto size = static_cast<uint64_t>(status.st_size);
    if (size > limit)
        return fail(
            0, fmt::format("file is {}; at most {} are read", size_text(size), size_text(limit)));
    return {};
}

// To the end of the file, which may lie elsewhere than its size says.
Result<std::string> read_all(int fd, size_t expected, size_t limit)
{
    std::string text(expected + 1, '\0');
    size_t length = 0;
    for (;;) {
        const ssize_t count = read(fd, text.data() + length, text.size() - length);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return fail_errno("read");
        if (count == 0)
            break;
        length += static_cast<size_t>(count);
        if (length > limit)
            return fail(0, fmt::format("file grew while it was read; at most {} are read",
                                       size_text(limit)));
        if (length == text.size())
            text.resize(std::min(text.size() * 2 + 4096, limit + 1));
    }
    text.resize(length);
    return text;
}

} // namespace

FileStamp FileStamp::of(const struct stat& status)
{
    return {status.st_dev, status.st_ino, status.st_size, nanoseconds(status.st_mtim),
            nanoseconds(status.st_ctim)};
}

Result<FileText> read_file(const std::string& path, size_t limit)
{
    // Looked at before it is opened: opening a device can do things to it.
    struct stat status {};
    if (stat(path.c_str(), &status) != 0)
        return fail_errno("open");
    if (auto checked = check_status(status, limit); !checked)
        return std::unexpected(std::move(checked.error()));
    const Fd fd(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
    if (!fd)
        return fail_errno("open");
    if (fstat(fd.get(), &status) != 0)
        return fail_errno("stat");
    if (auto checked = check_status(status, limit); !checked)
        return std::unexpected(std::move(checked.error()));
    auto text = unless_out_of_memory(
        "read", [&] { return read_all(fd.get(), static_cast<size_t>(status.st_size), limit); });
    if (!text)
        return std::unexpected(std::move(text.error()));
    return FileText{*std::move(text), FileStamp::of(status)};
}

} // namespace ebpfd
