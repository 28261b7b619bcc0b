// SPDX-License-Identifier: Apache-2.0
#include "observe/line_file.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>

namespace ebpfd {
namespace {

constexpr size_t file_chunk = 64 << 10;

Result<struct stat> describe(const Fd& fd, const std::string& path)
{
    struct stat out {};
    if (fstat(fd.get(), &out) != 0)
        return fail_errno("describe " + path);
    return out;
}

} // namespace

Result<void> LineFile::open()
{
    const std::string& path = options_.path;
    // O_NONBLOCK: a FIFO that nobody reads is an error, not a wait.
    constexpr int flags =
        O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
    Fd opened(::open(path.c_str(), flags, 0600));
    if (!opened)
        return fail_errno("open " + path);
    const auto status = describe(opened, path);
    if (!status)
        return std::unexpected(status.error());
    if (S_ISBLK(status->st_mode))
        return fail(EINVAL, path + " is a block device");
    fd_ = std::move(opened);
    regular_ = S_ISREG(status->st_mode);
    torn_ = regular_ && ends_torn(static_cast<uint64_t>(status->st_size));
    return {};
}

// Whether somebody who wrote before us was cut off within a line.
bool LineFile::ends_torn(uint64_t size) const
{
    if (size == 0)
        return false;
    const Fd reader(::open(options_.path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    char last = '\n';
    return reader && pread(reader.get(), &last, 1, static_cast<off_t>(size - 1)) == 1 &&
           last != '\n';
}

std::string LineFile::rotated(uint32_t number) const
{
    return fmt::format("{}.{}", options_.path, number);
}

Result<void> LineFile::rotate()
{
    // Files move up to the first gap alone: were this to fail and be tried again, nothing that
    // is kept would be pushed out.
    uint32_t gap = 1;
    while (gap < options_.kept_files && access(rotated(gap).c_str(), F_OK) == 0)
        gap++;
    for (uint32_t number = gap; number > 1; number--)
        if (std::rename(rotated(number - 1).c_str(), rotated(number).c_str()) != 0)
            return fail_errno("rename " + rotated(number - 1));
    const int moved = options_.kept_files == 0
                          ? unlink(options_.path.c_str())
                          : std::rename(options_.path.c_str(), rotated(1).c_str());
    if (moved != 0 && errno != ENOENT)
        return fail_errno("move " + options_.path + " out of the way");
    rotations_++;
    return open();
}

// The file takes so many bytes more: it is open, not too long, and its last line has an end.
Result<void> LineFile::prepare(size_t bytes)
{
    if (!fd_)
        if (auto opened = open(); !opened)
            return opened;
    if (regular_) {
        // Asked each time: others may cut the file.
        const auto status = describe(fd_, options_.path);
        if (!status)
            return std::unexpected(status.error());
        const auto size = static_cast<uint64_t>(status->st_size);
        if (size > 0 && size + bytes > options_.max_bytes)
            if (auto done = rotate(); !done)
                return done;
    }
    if (torn_ && write(fd_.get(), "\n", 1) != 1)
        return fail_errno("write " + options_.path);
    torn_ = false;
    return {};
}

// Cuts off the beginning of a line; returns the bytes that stay.
size_t LineFile::keep_whole_lines(std::string_view written)
{
    const size_t whole = written.rfind('\n') + 1; // npos + 1: none
    if (whole == written.size())
        return whole;
    const auto status = describe(fd_, options_.path);
    const auto torn = static_cast<off_t>(written.size() - whole);
    torn_ = !regular_ || !status || ftruncate(fd_.get(), status->st_size - torn) != 0;
    return whole;
}

LineFile::Outcome LineFile::append(std::string_view lines)
{
    if (auto ready = prepare(lines.size()); !ready)
        return {.error = ready.error()};
    // To the end or to an error: a full disk takes a part first, and only then says so.
    size_t count = 0;
    int code = 0;
    while (count < lines.size() && code == 0) {
        const ssize_t written = write(fd_.get(), lines.data() + count, lines.size() - count);
        if (written < 0)
            code = errno;
        else
            count += static_cast<size_t>(written);
    }
    Outcome outcome{.bytes = keep_whole_lines(lines.substr(0, count)), .error = {}};
    if (code != 0)
        outcome.error = fail_errno("write " + options_.path, code).error();
    if (code != 0 && code != EAGAIN && !regular_)
        fd_ = Fd(); // its reader is gone: another one may come
    return outcome;
}

void LineFile::wait_for_room(std::chrono::milliseconds timeout) const
{
    pollfd wanted{.fd = fd_.get(), .events = POLLOUT, .revents = 0};
    (void)poll(&wanted, 1, static_cast<int>(timeout.count()));
}

size_t LineFile::chunk_bytes() const
{
    return fd_ && !regular_ ? PIPE_BUF : std::min<uint64_t>(file_chunk, options_.max_bytes);
}

} // namespace ebpfd
