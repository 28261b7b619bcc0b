// SPDX-License-Identifier: Apache-2.0
#include "lock.h"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>

namespace ebpfd {
namespace {

std::unexpected<Error> taken(const std::string& what, const std::string& by)
{
    return fail(EBUSY, fmt::format("another ebpfd{} already uses {}: stop it, or give this one a "
                                   "--runtime-dir, --bpffs and interfaces of its own",
                                   by, what));
}

std::string owner_of(int fd)
{
    char text[16] = "";
    const ssize_t length = pread(fd, text, sizeof text - 1, 0);
    const int pid = length > 0 ? std::atoi(text) : 0;
    return pid > 0 ? fmt::format(" (process {})", pid) : "";
}

Result<Fd> lock_runtime_dir(const std::string& dir)
{
    std::error_code error;
    std::filesystem::create_directories(std::filesystem::path(dir).parent_path(), error);
    if (error)
        return fail_errno("make the runtime folder " + dir, error.value());
    if (mkdir(dir.c_str(), 0700) != 0 && errno != EEXIST)
        return fail_errno("make the runtime folder " + dir);
    const std::string path = dir + "/lock";
    Fd fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd)
        return fail_errno("open " + path);
    if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK ? taken(dir, owner_of(fd.get())) : fail_errno("lock " + path);
    const std::string pid = fmt::format("{}\n", getpid());
    if (ftruncate(fd.get(), 0) != 0 ||
        pwrite(fd.get(), pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size()))
        return fail_errno("write " + path);
    return fd;
}

bool is_bpffs(const std::string& path)
{
    struct statfs status {};
    return statfs(path.c_str(), &status) == 0 && status.f_type == BPF_FS_MAGIC;
}

// Without a bpf file system there is nothing to lock, and Datapath::open() says what to do.
Result<Fd> lock_maps(const std::string& dir)
{
    if (!is_bpffs(std::filesystem::path(dir).parent_path()))
        return Fd();
    if (mkdir(dir.c_str(), 0700) != 0 && errno != EEXIST)
        return fail_errno("make " + dir);
    Fd fd(open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd)
        return fail_errno("open " + dir);
    if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK ? taken(dir, "") : fail_errno("lock " + dir);
    return fd;
}

} // namespace

Result<AgentLock> AgentLock::take(const std::string& runtime_dir, const std::string& bpffs)
{
    auto runtime = lock_runtime_dir(runtime_dir);
    if (!runtime)
        return std::unexpected(runtime.error());
    auto maps = lock_maps(bpffs);
    if (!maps)
        return std::unexpected(maps.error());
    return AgentLock(std::move(*runtime), std::move(*maps));
}

} // namespace ebpfd
