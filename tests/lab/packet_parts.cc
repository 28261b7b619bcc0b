// SPDX-License-Identifier: Apache-2.0
#include "lab/checksum.h"
#include "lab/packet.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cassert>

namespace lab {
namespace {

uint16_t get16(const Bytes& bytes, size_t at)
{
    return static_cast<uint16_t>(bytes.at(at) << 8 | bytes.at(at + 1));
}

bool is_vlan(uint16_t type)
{
    return type == 0x8100 || type == 0x88a8;
}

size_t ip_offset(const Bytes& frame)
{
    size_t at = 14;
    while (frame.size() >= at + 4 && is_vlan(get16(frame, at - 2)))
        at += 4;
    return at;
}

Bytes slice(const Bytes& bytes, size_t from, size_t length)
{
    const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(from);
    return {begin, begin + static_cast<std::ptrdiff_t>(std::min(length, bytes.size() - from))};
}

void append(Bytes& bytes, const Bytes& more)
{
    bytes.insert(bytes.end(), more.begin(), more.end());
}

void set16(Bytes& bytes, size_t at, size_t value)
{
    bytes.at(at) = static_cast<uint8_t>(value >> 8);
    bytes.at(at + 1) = static_cast<uint8_t>(value);
}

Bytes fragment_v4(Bytes header, const Bytes& part, uint32_t id, size_t offset, bool more)
{
    set16(header, 2, header.size() + part.size());
    set16(header, 4, id & 0xffff);
    set16(header, 6, offset / 8 | (more ? 0x2000U : 0U));
    set16(header, 10, 0);
    set16(header, 10, InternetChecksum{}.add(header).value());
    append(header, part);
    return header;
}

Bytes fragment_v6(Bytes header, const Bytes& part, uint32_t id, size_t offset, bool more)
{
    Bytes extension(8);
    extension[0] = header[6];
    set16(extension, 2, offset | (more ? 1U : 0U));
    set16(extension, 4, id >> 16);
    set16(extension, 6, id & 0xffff);
    header[6] = 44;
    set16(header, 4, extension.size() + part.size());
    append(header, extension);
    append(header, part);
    return header;
}

std::string address_text(const Bytes& frame, size_t at, int family)
{
    char text[INET6_ADDRSTRLEN] = "?";
    const size_t length = family == AF_INET ? 4 : 16;
    if (frame.size() >= at + length)
        inet_ntop(family, frame.data() + at, text, sizeof(text));
    return text;
}

} // namespace

Bytes from_ip(const Bytes& frame)
{
    return slice(frame, ip_offset(frame), frame.size());
}

Bytes cut(Bytes frame, size_t length)
{
    frame.resize(std::min(length, frame.size()));
    return frame;
}

std::vector<Bytes> fragments(const Bytes& frame, size_t size, uint32_t id)
{
    assert(size % 8 == 0);
    const size_t ip = ip_offset(frame);
    const bool wide = frame.at(ip) >> 4 == 6;
    const size_t length = wide ? 40 : (frame.at(ip) & 15U) * 4U;
    const Bytes header = slice(frame, ip, length);
    const Bytes body = slice(frame, ip + length, frame.size());
    std::vector<Bytes> result;
    for (size_t offset = 0; offset < body.size(); offset += size) {
        const Bytes part = slice(body, offset, size);
        const bool more = offset + part.size() < body.size();
        result.push_back(slice(frame, 0, ip));
        append(result.back(), wide ? fragment_v6(header, part, id, offset, more)
                                   : fragment_v4(header, part, id, offset, more));
    }
    return result;
}

std::string describe(const Bytes& frame)
{
    const size_t ip = ip_offset(frame);
    std::string text;
    if (frame.size() > ip + 9 && frame[ip] >> 4 == 4)
        text = address_text(frame, ip + 12, AF_INET) + " > " +
               address_text(frame, ip + 16, AF_INET) + " protocol " +
               std::to_string(frame[ip + 9]) + ", ";
    if (frame.size() > ip + 6 && frame[ip] >> 4 == 6)
        text = address_text(frame, ip + 8, AF_INET6) + " > " +
               address_text(frame, ip + 24, AF_INET6) + " next header " +
               std::to_string(frame[ip + 6]) + ", ";
    text += std::to_string(frame.size()) + " bytes: ";
    constexpr const char* digits = "0123456789abcdef";
    for (const uint8_t byte : frame) {
        text += digits[byte >> 4];
        text += digits[byte & 15];
    }
    return text;
}

} // namespace lab
