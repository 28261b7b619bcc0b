// SPDX-License-Identifier: Apache-2.0
#include "ebpfctl/clock.h"

#include "base/clock.h"

#include <charconv>
#include <ctime>
#include <fmt/format.h>
#include <utility>

namespace ebpfd::ctl {
namespace {

constexpr uint64_t NS_PER_S = 1'000'000'000;
constexpr int64_t LONGEST_MS = 366LL * 24 * 3600 * 1000;

constexpr std::pair<std::string_view, int64_t> UNITS[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};

// Milliseconds of the unit that text begins with, which is taken off; 0: none does.
int64_t take_unit(std::string_view& text)
{
    for (const auto& [name, milliseconds] : UNITS) {
        if (!text.starts_with(name))
            continue;
        text.remove_prefix(name.size());
        return milliseconds;
    }
    return 0;
}

} // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text)
{
    int64_t sum = 0;
    bool bare = text.find_first_not_of("0123456789") == std::string_view::npos;
    if (text.empty())
        return std::nullopt;
    while (!text.empty()) {
        int64_t number = 0;
        auto [end, error] = std::from_chars(text.begin(), text.end(), number);
        if (error != std::errc{} || number < 0 || number > LONGEST_MS)
            return std::nullopt;
        text.remove_prefix(static_cast<size_t>(end - text.begin()));
        int64_t unit = bare ? 1000 : take_unit(text);
        if (unit == 0 || number > LONGEST_MS / unit)
            return std::nullopt;
        sum += number * unit;
    }
    if (sum > LONGEST_MS)
        return std::nullopt;
    return std::chrono::milliseconds(sum);
}

Moment Moment::now()
{
    return {machine_monotonic_ns(), static_cast<uint64_t>(wall_clock_ns())};
}

std::string Moment::text_of(uint64_t monotonic_ns) const
{
    uint64_t time = realtime - monotonic + monotonic_ns; // wraps back where then is earlier
    auto seconds = static_cast<time_t>(time / NS_PER_S);
    tm parts{};
    gmtime_r(&seconds, &parts);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}Z", parts.tm_year + 1900,
                       parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                       time % NS_PER_S);
}

double Moment::seconds_since(uint64_t monotonic_ns) const
{
    if (monotonic_ns >= monotonic)
        return 0;
    return static_cast<double>(monotonic - monotonic_ns) / static_cast<double>(NS_PER_S);
}

} // namespace ebpfd::ctl
