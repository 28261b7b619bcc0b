// SPDX-License-Identifier: Apache-2.0
#include "faults.h"

#include <array>
#include <atomic>
#include <cstdarg>
#include <cstdio>
#include <dlfcn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

std::atomic<bool> armed;
std::atomic<uint64_t> count;
thread_local bool exempt;
uint64_t chosen;
faults::Ending chosen_ending;
int chosen_code;

template <class Function> Function libc(const char* name)
{
    return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

template <class Call> auto counted(Call call)
{
    const bool mine = armed && !exempt && ++count == chosen;
    if (mine && chosen_ending == faults::Ending::fail) {
        errno = chosen_code;
        return decltype(call()){-1};
    }
    const auto result = call();
    if (mine)
        _exit(faults::crashed);
    return result;
}

} // namespace

namespace faults {

void arm(uint64_t number, Ending ending, Whose whose, int code)
{
    exempt = whose == Whose::others;
    chosen = number;
    chosen_ending = ending;
    chosen_code = code;
    count = 0;
    armed = true;
}

int other_reason(uint64_t number)
{
    constexpr std::array<int, other_reasons> reasons{EPERM,  EBUSY,  E2BIG, EINTR,
                                                     EAGAIN, ENOSPC, ENOENT};
    return reasons[number % reasons.size()];
}

bool came()
{
    return count >= chosen;
}

bool disarm()
{
    armed = false;
    exempt = false;
    return came();
}

} // namespace faults

extern "C" {

long syscall(long number, ...) noexcept
{
    static const auto real = libc<long (*)(long, ...)>("syscall");
    std::array<long, 6> a{};
    va_list list;
    va_start(list, number);
    for (long& argument : a)
        argument = va_arg(list, long);
    va_end(list);
    const auto call = [&] { return real(number, a[0], a[1], a[2], a[3], a[4], a[5]); };
    return number == SYS_bpf || number == SYS_membarrier ? counted(call) : call();
}

ssize_t send(int fd, const void* data, size_t size, int flags)
{
    static const auto real = libc<ssize_t (*)(int, const void*, size_t, int)>("send");
    return counted([&] { return real(fd, data, size, flags); });
}

ssize_t sendto(int fd, const void* data, size_t size, int flags, const sockaddr* to,
               socklen_t length)
{
    static const auto real =
        libc<ssize_t (*)(int, const void*, size_t, int, const sockaddr*, socklen_t)>("sendto");
    return counted([&] { return real(fd, data, size, flags, to, length); });
}

int rename(const char* from, const char* to) noexcept
{
    static const auto real = libc<int (*)(const char*, const char*)>("rename");
    return counted([&] { return real(from, to); });
}

int unlink(const char* path) noexcept
{
    static const auto real = libc<int (*)(const char*)>("unlink");
    return counted([&] { return real(path); });
}
}
