// SPDX-License-Identifier: Apache-2.0
#include "kernel/preflight.h"

#include "base/fd.h"
#include "kernel/pins.h"

#include <bpf/bpf.h>
#include <cerrno>
#include <filesystem>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace ebpfd {

Result<void> check_btf(const std::string& file)
{
    if (access(file.c_str(), R_OK) == 0)
        return {};
    return fail(errno, "the kernel's type information " + file +
                           " cannot be read: use a kernel built with CONFIG_DEBUG_INFO_BTF");
}

std::unexpected<Error> missing_capability(int code)
{
    return fail(code, "the kernel refuses to load BPF programs: run as root, or with "
                      "CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON");
}

Result<void> check_ring_buffer()
{
    const auto size = static_cast<uint32_t>(sysconf(_SC_PAGESIZE));
    const Fd ring(bpf_map_create(BPF_MAP_TYPE_RINGBUF, "ebpfd_probe", 0, 0, size, nullptr));
    if (ring)
        return {};
    if (errno == EPERM || errno == EACCES)
        return missing_capability(errno);
    if (errno == EINVAL)
        return fail(EINVAL, "the kernel has no BPF ring buffer: use Linux 5.8 or later");
    return fail_errno("make a BPF ring buffer");
}

Result<void> prepare_bpffs(const std::string& folder)
{
    namespace fs = std::filesystem;
    std::error_code error;
    fs::path existing = fs::absolute(folder, error);
    if (error)
        return fail(error.value(), "find folder " + folder + ": " + error.message());
    while (existing != existing.root_path() && !fs::exists(existing, error))
        existing = existing.parent_path();
    struct statfs mounted {};
    if (statfs(existing.c_str(), &mounted) != 0)
        return fail_errno("look at " + existing.string());
    if (mounted.f_type != BPF_FS_MAGIC)
        return fail(EINVAL, folder + " is not on a bpf file system: mount it, as with "
                                     "mount -t bpf bpf /sys/fs/bpf, or choose another --bpffs");
    return make_folder(folder);
}

} // namespace ebpfd
