// SPDX-License-Identifier: Apache-2.0
#include "kernel/grace.h"

#include "base/fd.h"

#include <algorithm>
#include <atomic>
#include <bpf/bpf.h>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <fstream>
#include <linux/magic.h>
#include <linux/membarrier.h>
#include <memory>
#include <mutex>
#include <sched.h>
#include <string>
#include <string_view>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

namespace ebpfd {

namespace {

using namespace std::chrono_literals;

constexpr auto walk_max = 5ms;

// Where softirqs can be preempted a thread may run in the middle of one.
bool preempts_softirqs()
{
    static const bool realtime = [] {
        utsname names{};
        return uname(&names) != 0 || std::string_view(names.version).contains("PREEMPT_RT") ||
               std::string_view(names.version).contains("PREEMPT RT");
    }();
    return realtime;
}

// None where they are not known. What a container puts in place of sysfs may leave out some.
std::vector<int> online_cpus()
{
    const char* path = "/sys/devices/system/cpu/online";
    struct statfs fs {};
    if (statfs(path, &fs) != 0 || fs.f_type != SYSFS_MAGIC)
        return {};
    std::ifstream list(path); // such as "0-3,8"
    std::vector<int> cpus;
    for (std::string range; std::getline(list, range, ',');) {
        int first = 0;
        const char* end = range.data() + range.size();
        auto read = std::from_chars(range.data(), end, first);
        int last = first;
        if (read.ec == std::errc{} && read.ptr != end && *read.ptr == '-')
            read = std::from_chars(read.ptr + 1, end, last);
        if (read.ec != std::errc{} || first < 0 || last >= CPU_SETSIZE)
            return {};
        for (int cpu = first; cpu <= last; ++cpu)
            cpus.push_back(cpu);
    }
    return cpus;
}

// Whether this thread has run on that CPU.
bool visit(int cpu)
{
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    return sched_setaffinity(0, sizeof one, &one) == 0 && sched_getcpu() == cpu;
}

// A thread that runs on each CPU in turn. Programs run with softirqs disabled and are not
// preempted: where it has run they are through. One that others keep from running is left to
// itself.
class Walk {
public:
    explicit Walk(std::vector<int> cpus) : cpus_(std::move(cpus)) {}

    // Whether it has run on all of them, and soon enough.
    static bool take()
    {
        if (preempts_softirqs() || under_way_.exchange(true))
            return false;
        try {
            const auto walk = std::make_shared<Walk>(online_cpus());
            std::thread([walk] { walk->run(); }).detach();
            return walk->wait();
        } catch (const std::exception&) { // no room for it
            under_way_ = false;
            return false;
        }
    }

private:
    void run() noexcept
    {
        const bool all = !cpus_.empty() && std::ranges::all_of(cpus_, visit);
        under_way_ = false;
        const std::lock_guard lock(mutex_);
        ended_ = true;
        all_ = all;
        changed_.notify_all();
    }
    bool wait()
    {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, walk_max, [this] { return ended_; });
        return all_;
    }

    static inline std::atomic<bool> under_way_ = false;
    const std::vector<int> cpus_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool ended_ = false;
    bool all_ = false;
};

// An update of a map of maps waits as well (since Linux 4.20). For kernels whose membarrier
// refuses, which those with isolated CPUs do (nohz_full).
Result<void> wait_by_map_of_maps()
{
    const Fd inner(bpf_map_create(BPF_MAP_TYPE_ARRAY, "ebpfd_grace_in", 4, 4, 1, nullptr));
    if (!inner)
        return fail_errno("wait for packets in flight");
    LIBBPF_OPTS(bpf_map_create_opts, options, .inner_map_fd = static_cast<uint32_t>(inner.get()));
    const Fd outer(bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "ebpfd_grace", 4, 4, 1, &options));
    const uint32_t key = 0;
    const int value = inner.get();
    if (!outer || bpf_map_update_elem(outer.get(), &key, &value, BPF_ANY) != 0)
        return fail_errno("wait for packets in flight");
    return {};
}

} // namespace

Result<void> wait_for_packets_in_flight()
{
    if (Walk::take())
        return {};
    // Waits for an RCU grace period, and programs run within RCU's read sections.
    if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) == 0)
        return {};
    return wait_by_map_of_maps();
}

} // namespace ebpfd
