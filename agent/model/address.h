// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace ebpfd {

// An IP address in network order, IPv4 as IPv4-mapped IPv6: the form the maps use.
struct IpAddress {
    std::array<uint8_t, 16> bytes{};

    auto operator<=>(const IpAddress&) const = default;
    bool is_v4() const;
    // "10.0.0.1" or "fd00::1".
    std::string text() const;
    // Text as inet_pton reads it; IPv4-mapped text ("::ffff:1.2.3.4") is refused, so that
    // one address has one spelling.
    static std::optional<IpAddress> parse(std::string_view text);
};

// Of the datapath's form: 16 bytes in network order, IPv4 mapped.
inline IpAddress address_of(const uint8_t (&bytes)[16])
{
    return {.bytes = std::to_array(bytes)};
}

// An address block, canonical: the bits behind the prefix are zero. prefix counts bits of
// the 128-bit form: 10.0.0.0/8 has 104.
struct Cidr {
    IpAddress address;
    uint8_t prefix = 128;

    auto operator<=>(const Cidr&) const = default;
    bool is_v4() const { return prefix >= 96 && address.is_v4(); }
    // Whether the address lies inside, with families kept apart: ::/0 holds no IPv4 address.
    bool contains(const IpAddress& other) const;
    // Whether the other block lies inside or is equal, families kept apart.
    bool contains(const Cidr& other) const;
    // "10.0.0.0/8": the prefix as its family counts it.
    std::string text() const;
    // "10.1.2.3/8" becomes 10.0.0.0/8. A prefix is required.
    static std::optional<Cidr> parse(std::string_view text);
};

} // namespace ebpfd

template <> struct std::hash<ebpfd::IpAddress> {
    size_t operator()(const ebpfd::IpAddress& address) const noexcept
    {
        return std::hash<std::string_view>{}(
            {reinterpret_cast<const char*>(address.bytes.data()), address.bytes.size()});
    }
};
