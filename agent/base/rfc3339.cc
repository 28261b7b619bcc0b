// SPDX-License-Identifier: Apache-2.0
#include "base/rfc3339.h"

#include <charconv>
#include <chrono>
#include <ctime>
#include <fmt/chrono.h>
#include <fmt/format.h>

namespace ebpfd {
namespace {

using namespace std::chrono;

constexpr int64_t second_ns = 1'000'000'000;

// Takes a number of exactly so many digits off the text; no value if it begins otherwise.
std::optional<int> take_digits(std::string_view& text, size_t digits)
{
    int number = 0;
    if (text.size() < digits || text.starts_with('-'))
        return std::nullopt;
    const char* end = text.data() + digits;
    if (const auto [stop, error] = std::from_chars(text.data(), end, number);
        error != std::errc{} || stop != end)
        return std::nullopt;
    text.remove_prefix(digits);
    return number;
}

bool take(std::string_view& text, std::string_view any_of)
{
    if (text.empty() || !any_of.contains(text.front()))
        return false;
    text.remove_prefix(1);
    return true;
}

// Three numbers with separators between them, as in a date and in a time of day.
struct Three {
    int first = 0;
    int second = 0;
    int third = 0;
};

std::optional<Three> take_three(std::string_view& text, size_t digits, std::string_view separator)
{
    const auto first = take_digits(text, digits);
    if (!first || !take(text, separator))
        return std::nullopt;
    const auto second = take_digits(text, 2);
    if (!second || !take(text, separator))
        return std::nullopt;
    const auto third = take_digits(text, 2);
    return third ? std::optional(Three{*first, *second, *third}) : std::nullopt;
}

std::optional<int64_t> take_date(std::string_view& text)
{
    const auto date = take_three(text, 4, "-");
    if (!date)
        return std::nullopt;
    const year_month_day day{year(date->first), month(static_cast<unsigned>(date->second)),
                             std::chrono::day(static_cast<unsigned>(date->third))};
    // Beyond these years nanoseconds do not fit.
    if (!day.ok() || date->first < 1970 || date->first > 2200)
        return std::nullopt;
    return seconds(sys_days(day).time_since_epoch()).count();
}

std::optional<int64_t> take_time_of_day(std::string_view& text)
{
    const auto time = take_three(text, 2, ":");
    if (!time || time->first > 23 || time->second > 59 || time->third > 60)
        return std::nullopt;
    return (int64_t{time->first} * 60 + time->second) * 60 + time->third;
}

// Nanoseconds of ".123"; 0 without a fraction.
std::optional<int64_t> take_fraction(std::string_view& text)
{
    if (!take(text, "."))
        return 0;
    int64_t sum = 0;
    int64_t unit = second_ns;
    while (unit > 1 && !text.empty() && text.front() >= '0' && text.front() <= '9') {
        unit /= 10;
        sum += (text.front() - '0') * unit;
        text.remove_prefix(1);
    }
    return unit < second_ns ? std::optional(sum) : std::nullopt;
}

// Seconds east of UTC.
std::optional<int64_t> take_offset(std::string_view& text)
{
    if (take(text, "Zz"))
        return 0;
    const int sign = text.starts_with('-') ? -1 : 1;
    if (!take(text, "+-"))
        return std::nullopt;
    const auto hours = take_digits(text, 2);
    if (!hours || *hours > 23 || !take(text, ":"))
        return std::nullopt;
    const auto minutes = take_digits(text, 2);
    if (!minutes || *minutes > 59)
        return std::nullopt;
    return int64_t{sign} * (*hours * 60 + *minutes) * 60;
}

} // namespace

std::string rfc3339(int64_t time_ns)
{
    const std::time_t seconds = time_ns / second_ns;
    return fmt::format("{:%FT%T}.{:09}Z", fmt::gmtime(seconds), time_ns % second_ns);
}

std::optional<int64_t> parse_rfc3339(std::string_view text)
{
    const auto date = take_date(text);
    if (!date || !take(text, "Tt "))
        return std::nullopt;
    const auto time = take_time_of_day(text);
    if (!time)
        return std::nullopt;
    const auto fraction = take_fraction(text);
    if (!fraction)
        return std::nullopt;
    const auto offset = take_offset(text);
    if (!offset || !text.empty())
        return std::nullopt;
    return (*date + *time - *offset) * second_ns + *fraction;
}

} // namespace ebpfd
