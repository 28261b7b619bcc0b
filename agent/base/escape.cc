// SPDX-License-Identifier: Apache-2.0
#include "base/escape.h"

#include <fmt/format.h>
#include <iterator>

namespace ebpfd {
namespace {

void append_escaped(std::string& out, unsigned char byte)
{
    switch (byte) {
    case '\n':
        out += "\\n";
        return;
    case '\t':
        out += "\\t";
        return;
    case '\\':
        out += "\\\\";
        return;
    default:
        fmt::format_to(std::back_inserter(out), "\\x{:02x}", byte);
    }
}

bool is_plain(unsigned char byte)
{
    return byte >= 0x20 && byte < 0x7f && byte != '\\';
}

// The length of the UTF-8 sequence at the start of text; 0 if there is none. Overlong forms
// count as none: they can hide a control character.
size_t sequence_length(std::string_view text)
{
    const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char lead = byte(0);
    const size_t length = lead >= 0xc2 && lead <= 0xdf   ? 2
                          : lead >= 0xe0 && lead <= 0xef ? 3
                          : lead >= 0xf0 && lead <= 0xf4 ? 4
                                                         : 0;
    if (length == 0 || text.size() < length)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((byte(i) & 0xc0) != 0x80)
            return 0;
    if ((lead == 0xe0 && byte(1) < 0xa0) || (lead == 0xf0 && byte(1) < 0x90))
        return 0;
    return length;
}

// Whether a whole UTF-8 sequence steers what shows it: C1 controls, line and paragraph
// separators, and the marks that turn the direction of writing, by which a name could show as
// another one.
bool steers(std::string_view sequence)
{
    constexpr std::string_view arabic_mark = "\xd8\x9c";
    if (sequence.size() == 2)
        return (sequence[0] == '\xc2' && sequence[1] < '\xa0') || sequence == arabic_mark;
    if (sequence.size() != 3 || sequence[0] != '\xe2')
        return false;
    const auto last = static_cast<unsigned char>(sequence[2]);
    if (sequence[1] == '\x80') // U+200E, U+200F; U+2028 to U+202E
        return last == 0x8e || last == 0x8f || (last >= 0xa8 && last <= 0xae);
    return sequence[1] == '\x81' && last >= 0xa6 && last <= 0xa9; // U+2066 to U+2069
}

} // namespace

std::string escape_control(std::string_view text)
{
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const auto byte = static_cast<unsigned char>(text[0]);
        const size_t length = is_plain(byte) ? 1 : byte < 0x80 ? 0 : sequence_length(text);
        if (length > 0 && !steers(text.substr(0, length))) {
            out += text.substr(0, length);
            text.remove_prefix(length);
        } else {
            append_escaped(out, byte);
            text.remove_prefix(1);
        }
    }
    return out;
}

} // namespace ebpfd
