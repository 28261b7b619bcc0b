// SPDX-License-Identifier: Apache-2.0
#include "process_facts.h"

#include "syscall_filter.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <sys/resource.h>
#include <unistd.h>

namespace ebpfd {
namespace {

// The fields of /proc/self/stat behind the program's name: see proc(5), whose field 3 is the
// first of these.
std::vector<std::string> stat_fields()
{
    std::ifstream file("/proc/self/stat");
    std::string text;
    std::getline(file, text);
    std::istringstream in(text.substr(std::min(text.rfind(')') + 1, text.size())));
    std::vector<std::string> fields;
    for (std::string field; in >> field;)
        fields.push_back(field);
    return fields;
}

double number(const std::vector<std::string>& fields, size_t field)
{
    constexpr size_t first = 3;
    return field - first < fields.size() ? std::strtod(fields[field - first].c_str(), nullptr) : 0;
}

double boot_time()
{
    std::ifstream file("/proc/stat");
    for (std::string word; file >> word;)
        if (double seconds = 0; word == "btime" && file >> seconds)
            return seconds;
    return 0;
}

uint64_t open_fds()
{
    std::error_code error;
    std::filesystem::directory_iterator file("/proc/self/fd", error);
    uint64_t count = 0;
    for (; !error && file != end(file); file.increment(error))
        ++count;
    return error ? 0 : count - 1; // without the one that reads them
}

} // namespace

ProcessFacts process_facts()
{
    const auto fields = stat_fields();
    const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
    const auto page = static_cast<double>(sysconf(_SC_PAGESIZE));
    rlimit files{};
    getrlimit(RLIMIT_NOFILE, &files);
    return {.cpu_seconds = (number(fields, 14) + number(fields, 15)) / ticks,
            .start_time_seconds = boot_time() + number(fields, 22) / ticks,
            .resident_bytes = static_cast<uint64_t>(number(fields, 24) * page),
            .virtual_bytes = static_cast<uint64_t>(number(fields, 23)),
            .open_fds = open_fds(),
            .max_fds = files.rlim_cur,
            .refused_calls = refused_calls().count};
}

} // namespace ebpfd
