// SPDX-License-Identifier: Apache-2.0
#include "kernel/libbpf_log.h"

#include "base/log.h"

#include <atomic>
#include <bpf/libbpf.h>
#include <cstdarg>
#include <cstdio>
#include <string_view>
#include <vector>

namespace ebpfd {

namespace {

std::atomic<int> attempts;

spdlog::level::level_enum quieter(libbpf_print_level level)
{
    switch (level) {
    case LIBBPF_WARN:
        return attempts > 0 ? spdlog::level::debug : spdlog::level::info;
    case LIBBPF_INFO:
        return spdlog::level::debug;
    case LIBBPF_DEBUG:
        break;
    }
    return spdlog::level::trace;
}

__attribute__((format(printf, 2, 0))) int print(libbpf_print_level level, const char* format,
                                                va_list arguments)
{
    const auto as = quieter(level);
    if (!spdlog::should_log(as))
        return 0;
    va_list again;
    va_copy(again, arguments);
    const int length = vsnprintf(nullptr, 0, format, arguments);
    std::vector<char> text(static_cast<size_t>(length > 0 ? length : 0) + 1);
    vsnprintf(text.data(), text.size(), format, again);
    va_end(again);
    std::string_view line(text.data());
    while (line.ends_with('\n'))
        line.remove_suffix(1);
    spdlog::log(as, "{}", line); // begins with "libbpf:"
    return length;
}

} // namespace

void route_libbpf_log()
{
    libbpf_set_print(print);
}

LibbpfAttempt::LibbpfAttempt()
{
    ++attempts;
}

LibbpfAttempt::~LibbpfAttempt()
{
    --attempts;
}

} // namespace ebpfd
