// SPDX-License-Identifier: Apache-2.0
#include "model/address.h"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>

namespace ebpfd
{

namespace
{

constexpr std::array<uint8_t, 12> V4_MAPPED{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr uint8_t V4_PREFIX = 96;

// Zero behind the first `prefix` bits.
IpAddress masked(IpAddress address, uint8_t prefix)
{
    for (size_t byte = 0; byte < address.bytes.size(); ++byte) {
        const size_t begin = byte * 8;
        if (prefix <= begin)
            address.bytes[byte] = 0;
        else if (prefix < begin + 8)
            address.bytes[byte] &= static_cast<uint8_t>(0xff00 >> (prefix - begin));
    }
    return address;
}

// A decimal number without sign or leading zeros, at most `limit`.
std::optional<uint8_t> parse_prefix(std::string_view text, uint8_t limit)
{
    if (text.empty() || (text.size() > 1 && text[0] == '0'))
        return std::nullopt;
    unsigned value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code != std::errc{} || end != text.data() + text.size() || value > limit)
        return std::nullopt;
    return static_cast<uint8_t>(value);
}

} // namespace

bool IpAddress::is_v4() const
{
    return std::equal(V4_MAPPED.begin(), V4_MAPPED.end(), bytes.begin());
}

std::string IpAddress::text() const
{
    std::array<char, INET6_ADDRSTRLEN> buffer{};
    const int family = is_v4() ? AF_INET : AF_INET6;
    const uint8_t* begin = is_v4() ? bytes.data() + V4_MAPPED.size() : bytes.data();
    inet_ntop(family, begin, buffer.data(), buffer.size());
    return buffer.data();
}

std::optional<IpAddress> IpAddress::parse(std::string_view text)
{
    // inet_pton stops at a NUL: text behind one must not pass unread.
    if (text.find('\0') != std::string_view::npos)
        return std::nullopt;
    const std::string copy(text);
    IpAddress result;
    if (copy.find(':') == std::string::npos) {
        std::ranges::copy(V4_MAPPED, result.bytes.begin());
        if (inet_pton(AF_INET, copy.c_str(), result.bytes.data() + V4_MAPPED.size()) != 1)
            return std::nullopt;
        return result;
    }
    if (inet_pton(AF_INET6, copy.c_str(), result.bytes.data()) != 1 || result.is_v4())
        return std::nullopt;
    return result;
}

bool Cidr::contains(const IpAddress& other) const
{
    return is_v4() == other.is_v4() && masked(other, prefix) == address;
}

bool Cidr::contains(const Cidr& other) const
{
    return is_v4() == other.is_v4() && prefix <= other.prefix &&
           masked(other.address, prefix) == address;
}

std::string Cidr::text() const
{
    return address.text() + "/" + std::to_string(is_v4() ? prefix - V4_PREFIX : prefix);
}

std::optional<Cidr> Cidr::parse(std::string_view text)
{
    const auto slash = text.find('/');
    if (slash == std::string_view::npos)
        return std::nullopt;
    const auto address = IpAddress::parse(text.substr(0, slash));
    if (!address)
        return std::nullopt;
    const bool v4 = address->is_v4();
    const auto length = parse_prefix(text.substr(slash + 1), v4 ? 32 : 128);
    if (!length)
        return std::nullopt;
    const auto prefix = static_cast<uint8_t>(v4 ? V4_PREFIX + *length : *length);
    return Cidr{masked(*address, prefix), prefix};
}

} // namespace ebpfd
