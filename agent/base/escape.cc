// SPDX-License-Identifier: Apache-2.0
#include "base/escape.h"

#include <fmt/format.h>
#include <iterator>

namespace ebpfd
{
namespace
{

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

} // namespace

std::string escape_control(std::string_view text)
{
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const auto byte = static_cast<unsigned char>(text[0]);
        const size_t length = is_plain(byte) ? 1 : byte < 0x80 ? 0 : sequence_length(text);
        // U+0080 to U+009F are controls too.
        const bool c1 = length == 2 && byte == 0xc2 && static_cast<unsigned char>(text[1]) < 0xa0;
        if (length > 0 && !c1) {
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
