// SPDX-License-Identifier: Apache-2.0
#include "allowed_syscalls.h"
#include "syscall_filter.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <memory>
#include <sched.h>
#include <string>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

namespace ebpfd {
namespace {

// Says what went wrong, on the way out of the process that has the filter.
void check(bool good, const char* what)
{
    if (good)
        return;
    (void)!write(STDERR_FILENO, what, std::char_traits<char>::length(what));
    _exit(1);
}

bool is_refused(long outcome)
{
    return outcome == -1 && errno == EPERM;
}

bool bpf_is_refused(int command)
{
    bpf_attr attributes{};
    return is_refused(syscall(SYS_bpf, command, &attributes, sizeof attributes));
}

void refuse()
{
    check(install_syscall_filter().has_value(), "the filter is not installed");
    char* const nothing[] = {nullptr};
    check(is_refused(execve("/bin/true", nothing, nothing)), "execve");
    check(is_refused(syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr)), "clone");
    check(is_refused(socket(AF_INET, SOCK_STREAM, 0)), "an internet socket");
    check(is_refused(socket(AF_PACKET, SOCK_RAW, 0)), "a packet socket");
    check(is_refused(unshare(CLONE_NEWNS)), "unshare");
    check(is_refused(syscall(SYS_mount, "a", "/", "tmpfs", 0, nullptr)), "mount");
    check(is_refused(syscall(SYS_ptrace, 0, 0, 0, 0)), "ptrace");
    check(is_refused(kill(1, 0)), "kill");
    check(bpf_is_refused(BPF_PROG_LOAD), "a program");
    check(bpf_is_refused(BPF_PROG_GET_NEXT_ID), "a list of programs");
    const RefusedCalls calls = refused_calls();
    check(calls.count == 10 && calls.last == "bpf", "not all are counted");
    _exit(0);
}

void work()
{
    std::thread older(
        [] { check(install_syscall_filter().has_value(), "the filter is not installed"); });
    older.join();
    check(is_refused(socket(AF_INET, SOCK_STREAM, 0)), "it is of one thread alone");
    const auto before = refused_calls().count;
    bool ran = false;
    std::thread([&] { ran = true; }).join();
    check(ran, "a thread");
    check(close(socket(AF_NETLINK, SOCK_RAW, 0)) == 0, "a netlink socket");
    check(close(open("/proc/self/stat", O_RDONLY | O_CLOEXEC)) == 0, "a file");
    rlimit limit{};
    check(getrlimit(RLIMIT_NOFILE, &limit) == 0, "a limit");
    check(!bpf_is_refused(BPF_MAP_LOOKUP_ELEM), "a map");
    check(std::make_unique<std::array<char, 4 << 20>>() != nullptr, "memory");
    check(refused_calls().count == before, "some were refused");
    _exit(0);
}

TEST(SyscallFilterDeathTest, RefusesAndCountsWhatARunningAgentNeverDoes)
{
    EXPECT_EXIT(refuse(), testing::ExitedWithCode(0), "");
}

TEST(SyscallFilterDeathTest, LetsAllThreadsGoOn)
{
    EXPECT_EXIT(work(), testing::ExitedWithCode(0), "");
}

TEST(SyscallFilter, ListsNothingThatLoadsOrExecutes)
{
    for (const int call : {SYS_execve, SYS_execveat, SYS_ptrace, SYS_mount, SYS_setns, SYS_unshare,
                           SYS_io_uring_setup, SYS_perf_event_open, SYS_init_module})
        EXPECT_EQ(std::ranges::find(allowed_syscalls(), call), allowed_syscalls().end()) << call;
    for (const uint32_t command : {BPF_PROG_LOAD, BPF_BTF_LOAD, BPF_RAW_TRACEPOINT_OPEN})
        EXPECT_EQ(std::ranges::find(allowed_bpf_commands(), command), allowed_bpf_commands().end());
}

} // namespace
} // namespace ebpfd
