// SPDX-License-Identifier: Apache-2.0
#include "bench/frame/machine.h"

#include <chrono>
#include <cstdlib>
#include <fmt/chrono.h>
#include <fstream>
#include <sys/utsname.h>
#include <thread>
#include <unistd.h>

namespace bench {
namespace {

std::string processor()
{
    std::ifstream file("/proc/cpuinfo");
    for (std::string line; std::getline(file, line);)
        if (line.starts_with("model name"))
            return line.substr(line.find(':') + 2);
    return "unknown";
}

unsigned memory_mib()
{
    const auto bytes = sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
    return static_cast<unsigned>(bytes >> 20);
}

} // namespace

double load_average()
{
    double load = 0;
    return getloadavg(&load, 1) == 1 ? load : 0;
}

Machine this_machine()
{
    utsname name{};
    uname(&name);
    return {.processor = processor(),
            .cores = std::thread::hardware_concurrency(),
            .memory_mib = memory_mib(),
            .kernel = name.release,
            .load_before = load_average(),
            .load_after = 0,
            .time = fmt::format("{:%FT%TZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(
                                                 std::chrono::system_clock::now())))};
}

} // namespace bench
