// SPDX-License-Identifier: Apache-2.0
#include "source/text_check.h"

#include <algorithm>
#include <fmt/format.h>

namespace ebpfd {

namespace {

bool is_plain(unsigned char c)
{
    return (c >= 0x20 && c < 0x80) || c == '\n' || c == '\t' || c == '\r';
}

// The length of the well-formed UTF-8 sequence of two or more bytes at the front, or 0.
size_t sequence_length(std::string_view text)
{
    const auto byte = [text](size_t i) {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
    };
    const auto follows = [byte](size_t i) { return (byte(i) & 0xc0) == 0x80; };
    const unsigned first = byte(0);
    const unsigned second = byte(1);
    if (first >= 0xc2 && first <= 0xdf)
        return follows(1) ? 2 : 0;
    if (first >= 0xe0 && first <= 0xef) {
        const bool overlong = first == 0xe0 && second < 0xa0;
        const bool surrogate = first == 0xed && second >= 0xa0;
        return follows(1) && follows(2) && !overlong && !surrogate ? 3 : 0;
    }
    if (first >= 0xf0 && first <= 0xf4) {
        const bool overlong = first == 0xf0 && second < 0x90;
        const bool beyond = first == 0xf4 && second >= 0x90;
        return follows(1) && follows(2) && follows(3) && !overlong && !beyond ? 4 : 0;
    }
    return 0;
}

FileError error_at(std::string_view text, size_t at, const std::string& file)
{
    const std::string_view before = text.substr(0, at);
    const auto line = std::ranges::count(before, '\n') + 1;
    const size_t break_at = before.rfind('\n');
    const size_t column = break_at == before.npos ? at + 1 : at - break_at;
    const auto byte = static_cast<unsigned char>(text[at]);
    std::string reason = fmt::format("byte 0x{:02x} is not UTF-8", byte);
    if (byte == 0)
        reason = "a NUL byte: the file is binary, not text";
    else if (byte < 0x80)
        reason = fmt::format("control character 0x{:02x}", byte);
    return {{file, static_cast<uint32_t>(line), static_cast<uint32_t>(column)}, std::move(reason)};
}

} // namespace

std::optional<FileError> check_text(std::string_view text, const std::string& file)
{
    for (size_t at = 0; at < text.size();) {
        const auto c = static_cast<unsigned char>(text[at]);
        if (is_plain(c)) {
            ++at;
            continue;
        }
        const size_t length = sequence_length(text.substr(at));
        if (length == 0)
            return error_at(text, at, file);
        at += length;
    }
    return std::nullopt;
}

} // namespace ebpfd
