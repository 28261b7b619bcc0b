// SPDX-License-Identifier: Apache-2.0
#include "source/scalar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <optional>

namespace ebpfd {

namespace {

constexpr std::string_view YAML_TAGS = "tag:yaml.org,2002:";

using Words = std::array<std::string_view, 11>;
constexpr Words TRUE_WORDS{"y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"};
constexpr Words FALSE_WORDS{"n",     "N",     "no",  "No",  "NO", "false",
                            "False", "FALSE", "off", "Off", "OFF"};
constexpr std::array<std::string_view, 5> NULL_WORDS{"", "~", "null", "Null", "NULL"};

bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

Value scalar(Value::Kind kind, std::string_view text)
{
    Value value;
    value.kind = kind;
    value.string = text;
    return value;
}

// The base that a prefix names, which is cut off: 0x, 0o, 0b, or 0 alone for octal.
int take_base(std::string_view& digits)
{
    if (digits.empty() || digits.front() != '0')
        return 10;
    if (digits.size() > 2) {
        const char mark = static_cast<char>(digits[1] | 0x20);
        const int base = mark == 'x' ? 16 : mark == 'o' ? 8 : mark == 'b' ? 2 : 0;
        if (base != 0) {
            digits.remove_prefix(2);
            return base;
        }
    }
    return 8;
}

std::optional<Value> resolve_integer(std::string_view digits, std::string_view text)
{
    const bool negative = digits.starts_with('-');
    if (negative || digits.starts_with('+'))
        digits.remove_prefix(1);
    const int base = take_base(digits);
    uint64_t magnitude = 0;
    const auto [end, failed] =
        std::from_chars(digits.data(), digits.data() + digits.size(), magnitude, base);
    if (failed != std::errc{} || end != digits.data() + digits.size())
        return std::nullopt;
    constexpr auto limit = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
    if (magnitude > limit + (negative ? 1 : 0)) {
        if (negative)
            return std::nullopt;
        return value_of_number(static_cast<double>(magnitude), text);
    }
    Value value = scalar(Value::Kind::integer, text);
    value.integer = static_cast<int64_t>(negative ? ~magnitude + 1 : magnitude);
    value.number = static_cast<double>(value.integer);
    return value;
}

size_t count_digits(std::string_view text)
{
    return static_cast<size_t>(std::ranges::find_if_not(text, is_digit) - text.begin());
}

// [digits][.digits][e[sign]digits] with a digit on at least one side of the point.
bool is_float(std::string_view text)
{
    const size_t whole = count_digits(text);
    text.remove_prefix(whole);
    size_t fraction = 0;
    if (text.starts_with('.')) {
        text.remove_prefix(1);
        fraction = count_digits(text);
        text.remove_prefix(fraction);
    }
    if (whole + fraction == 0)
        return false;
    if (text.empty())
        return true;
    if (text.front() != 'e' && text.front() != 'E')
        return false;
    text.remove_prefix(1);
    if (text.starts_with('+') || text.starts_with('-'))
        text.remove_prefix(1);
    return !text.empty() && count_digits(text) == text.size();
}

std::optional<Value> resolve_float(std::string_view digits, std::string_view text)
{
    const bool negative = digits.starts_with('-');
    if (negative || digits.starts_with('+'))
        digits.remove_prefix(1);
    if (digits == ".inf" || digits == ".Inf" || digits == ".INF")
        return value_of_number(negative ? -INFINITY : INFINITY, text);
    if (text == ".nan" || text == ".NaN" || text == ".NAN")
        return value_of_number(NAN, text);
    if (!is_float(digits))
        return std::nullopt;
    double number = 0;
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (parsed.ec != std::errc{})
        return std::nullopt;
    return value_of_number(negative ? -number : number, text);
}

Value resolve_plain(std::string_view text)
{
    if (std::ranges::find(NULL_WORDS, text) != NULL_WORDS.end())
        return scalar(Value::Kind::null, text);
    const bool yes = std::ranges::find(TRUE_WORDS, text) != TRUE_WORDS.end();
    if (yes || std::ranges::find(FALSE_WORDS, text) != FALSE_WORDS.end()) {
        Value value = scalar(Value::Kind::boolean, text);
        value.boolean = yes;
        return value;
    }
    const char first = text.front();
    if (!is_digit(first) && first != '+' && first != '-' && first != '.')
        return scalar(Value::Kind::string, text);
    std::string digits(text);
    std::erase(digits, '_');
    if (auto integer = first == '.' ? std::nullopt : resolve_integer(digits, text))
        return *std::move(integer);
    if (auto number = resolve_float(digits, text))
        return *std::move(number);
    return scalar(Value::Kind::string, text);
}

// The kind that a tag of YAML's own asks for; string for every other tag.
Value::Kind kind_of_tag(std::string_view tag)
{
    if (!tag.starts_with(YAML_TAGS))
        return Value::Kind::string;
    tag.remove_prefix(YAML_TAGS.size());
    if (tag == "int")
        return Value::Kind::integer;
    if (tag == "float")
        return Value::Kind::number;
    if (tag == "bool")
        return Value::Kind::boolean;
    return tag == "null" ? Value::Kind::null : Value::Kind::string;
}

} // namespace

Value value_of_number(double number, std::string_view text)
{
    constexpr double exact = 9007199254740992; // 2^53: beyond it not every integer is a double
    Value value = scalar(Value::Kind::number, text);
    value.number = number;
    if (std::abs(number) <= exact && std::trunc(number) == number) {
        value.kind = Value::Kind::integer;
        value.integer = static_cast<int64_t>(number);
    }
    return value;
}

std::expected<Value, std::string> resolve_scalar(std::string_view tag, std::string_view text)
{
    if (tag == "?")
        return resolve_plain(text);
    const Value::Kind wanted = kind_of_tag(tag);
    if (wanted == Value::Kind::string)
        return scalar(Value::Kind::string, text);
    Value value = resolve_plain(text);
    const bool whole_float = wanted == Value::Kind::number && value.kind == Value::Kind::integer;
    if (value.kind == wanted || whole_float)
        return value;
    return std::unexpected(fmt::format("\"{}\" is tagged !!{} but reads as {}", text.substr(0, 64),
                                       tag.substr(YAML_TAGS.size()), value.kind_name()));
}

} // namespace ebpfd
