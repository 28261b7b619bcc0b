// SPDX-License-Identifier: Apache-2.0
#include "policy/name_syntax.h"

#include <algorithm>

namespace ebpfd {

namespace {

constexpr size_t LABEL_LENGTH = 63;
constexpr size_t SUBDOMAIN_LENGTH = 253;
constexpr size_t PORT_NAME_LENGTH = 15;

constexpr std::string_view DNS_SYNTAX =
    "must be lower case letters, digits, '-' and, between names, '.', with a letter or digit at "
    "both ends of each name";
constexpr std::string_view LABEL_SYNTAX =
    "must be letters, digits, '-', '_' and '.', with a letter or digit at both ends";
constexpr std::string_view PORT_SYNTAX =
    "must be lower case letters, digits and single '-' inside, at least one letter";

bool is_lower(char one)
{
    return one >= 'a' && one <= 'z';
}

bool is_lower_or_digit(char one)
{
    return is_lower(one) || (one >= '0' && one <= '9');
}

bool is_letter_or_digit(char one)
{
    return is_lower_or_digit(one) || (one >= 'A' && one <= 'Z');
}

// Not empty, `ends` at both ends, and in between those or one of `inside`.
bool is_name(std::string_view text, bool (*ends)(char), std::string_view inside)
{
    return !text.empty() && ends(text.front()) && ends(text.back()) &&
           std::ranges::all_of(text, [&](char one) { return ends(one) || inside.contains(one); });
}

} // namespace

std::string_view wrong_dns_label(std::string_view text)
{
    if (text.size() > LABEL_LENGTH)
        return "must have at most 63 characters";
    return is_name(text, is_lower_or_digit, "-")
               ? ""
               : "must be lower case letters, digits and '-', with a letter or digit at both ends";
}

std::string_view wrong_dns_subdomain(std::string_view text)
{
    if (text.size() > SUBDOMAIN_LENGTH)
        return "must have at most 253 characters";
    while (true) {
        const auto dot = text.find('.');
        if (!is_name(text.substr(0, dot), is_lower_or_digit, "-"))
            return DNS_SYNTAX;
        if (dot == std::string_view::npos)
            return "";
        text.remove_prefix(dot + 1);
    }
}

std::string_view wrong_label_key(std::string_view text)
{
    const auto slash = text.find('/');
    if (slash != std::string_view::npos) {
        if (!wrong_dns_subdomain(text.substr(0, slash)).empty())
            return "must have a DNS subdomain in front of its '/'";
        text.remove_prefix(slash + 1);
    }
    if (text.size() > LABEL_LENGTH)
        return "must have at most 63 characters behind its prefix";
    return is_name(text, is_letter_or_digit, "-_.") ? "" : LABEL_SYNTAX;
}

std::string_view wrong_label_value(std::string_view text)
{
    if (text.size() > LABEL_LENGTH)
        return "must have at most 63 characters";
    return text.empty() || is_name(text, is_letter_or_digit, "-_.") ? "" : LABEL_SYNTAX;
}

std::string_view wrong_port_name(std::string_view text)
{
    if (text.size() > PORT_NAME_LENGTH)
        return "must have at most 15 characters";
    const bool valid = is_name(text, is_lower_or_digit, "-") && !text.contains("--") &&
                       std::ranges::any_of(text, is_lower);
    return valid ? "" : PORT_SYNTAX;
}

} // namespace ebpfd
