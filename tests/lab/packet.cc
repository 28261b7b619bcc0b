// SPDX-License-Identifier: Apache-2.0
#include "lab/packet.h"

#include "lab/checksum.h"
#include "model/address.h"

#include <algorithm>
#include <cassert>
#include <span>

namespace lab {
namespace {

constexpr uint16_t ethertype_ipv4 = 0x0800;
constexpr uint16_t ethertype_arp = 0x0806;
constexpr uint16_t ethertype_ipv6 = 0x86dd;
constexpr uint8_t protocol_icmp = 1;
constexpr uint8_t protocol_authentication = 51;
constexpr uint8_t protocol_nothing = 59;
constexpr size_t ethernet_length = 14;
constexpr size_t ipv4_length = 20;
constexpr size_t ipv6_length = 40;

void put16(Bytes& bytes, size_t at, size_t value)
{
    bytes.at(at) = static_cast<uint8_t>(value >> 8);
    bytes.at(at + 1) = static_cast<uint8_t>(value);
}

void put32(Bytes& bytes, size_t at, uint32_t value)
{
    put16(bytes, at, value >> 16);
    put16(bytes, at + 2, value & 0xffff);
}

void append(Bytes& bytes, std::span<const uint8_t> more)
{
    bytes.insert(bytes.end(), more.begin(), more.end());
}

// 4 or 16 bytes at the place; the text of a test is right or the test is wrong.
void put_address(Bytes& bytes, size_t at, std::string_view text)
{
    const auto address = ebpfd::IpAddress::parse(text);
    assert(address);
    const size_t skip = address->is_v4() ? 12 : 0;
    std::copy(address->bytes.begin() + static_cast<std::ptrdiff_t>(skip), address->bytes.end(),
              bytes.begin() + static_cast<std::ptrdiff_t>(at));
}

} // namespace

Packet& Packet::add(Layer layer)
{
    layers_.push_back(std::move(layer));
    return *this;
}

bool Packet::over_ipv6() const
{
    for (auto layer = layers_.rbegin(); layer != layers_.rend(); ++layer)
        if (layer->kind == Kind::ipv4 || layer->kind == Kind::ipv6)
            return layer->kind == Kind::ipv6;
    return false;
}

Packet& Packet::eth(const Mac& source, const Mac& destination)
{
    Bytes header;
    append(header, destination);
    append(header, source);
    header.resize(ethernet_length);
    return add({Kind::ethernet, 0, std::move(header)});
}

Packet& Packet::vlan(uint16_t id, uint16_t tpid)
{
    Bytes header(4);
    put16(header, 0, id);
    return add({Kind::ethernet, tpid, std::move(header)});
}

Packet& Packet::arp(std::string_view sender, std::string_view target, uint16_t operation)
{
    Bytes body{0, 1, 8, 0, 6, 4, 0, 0};
    put16(body, 6, operation);
    append(body, pod_mac);
    body.resize(28);
    put_address(body, 14, sender);
    put_address(body, 24, target);
    return add({Kind::content, ethertype_arp, std::move(body)});
}

Packet& Packet::ethertype(uint16_t type, Bytes content)
{
    return add({Kind::content, type, std::move(content)});
}

Packet& Packet::ipv4(std::string_view source, std::string_view destination, Bytes options)
{
    options.resize((options.size() + 3) / 4 * 4);
    Bytes header(ipv4_length);
    header[0] = static_cast<uint8_t>(0x45 + options.size() / 4);
    header[8] = 64;
    put_address(header, 12, source);
    put_address(header, 16, destination);
    append(header, options);
    return add({Kind::ipv4, ethertype_ipv4, std::move(header)});
}

Packet& Packet::ipv6(std::string_view source, std::string_view destination)
{
    Bytes header(ipv6_length);
    header[0] = 0x60;
    header[7] = 64;
    put_address(header, 8, source);
    put_address(header, 24, destination);
    return add({Kind::ipv6, ethertype_ipv6, std::move(header)});
}

Packet& Packet::ipv6_extension(uint8_t name, uint8_t units)
{
    Bytes header(8 + size_t{units} * 8); // zero bytes are one-byte paddings
    header[1] = units;
    return add({Kind::extension, name, std::move(header)});
}

Packet& Packet::hop_by_hop(uint8_t units)
{
    return ipv6_extension(0, units);
}

Packet& Packet::destination_options(uint8_t units)
{
    return ipv6_extension(60, units);
}

Packet& Packet::routing(uint8_t type, uint8_t segments_left)
{
    ipv6_extension(43, 2);
    layers_.back().header[2] = type;
    layers_.back().header[3] = segments_left;
    return *this;
}

Packet& Packet::authentication()
{
    Bytes header(24);
    header[1] = 24 / 4 - 2;
    return add({Kind::authentication, protocol_authentication, std::move(header)});
}

Packet& Packet::fragment(uint32_t id, uint16_t offset, bool more)
{
    assert(offset % 8 == 0);
    if (!over_ipv6()) {
        Bytes& header = layers_.back().header;
        put16(header, 4, id & 0xffff);
        put16(header, 6, (offset / 8U) | (more ? 0x2000U : 0U));
        return *this;
    }
    ipv6_extension(44, 0);
    Bytes& header = layers_.back().header;
    put16(header, 2, offset | (more ? 1U : 0U));
    put32(header, 4, id);
    return *this;
}

Packet& Packet::tcp(uint16_t source, uint16_t destination, uint8_t flags)
{
    Bytes header(20);
    put16(header, 0, source);
    put16(header, 2, destination);
    header[12] = 0x50;
    header[13] = flags;
    put16(header, 14, 64240);
    return add({Kind::transport, protocol_tcp, std::move(header), 16});
}

Packet& Packet::udp(uint16_t source, uint16_t destination)
{
    Bytes header(8);
    put16(header, 0, source);
    put16(header, 2, destination);
    return add({Kind::transport, protocol_udp, std::move(header), 6, 4});
}

Packet& Packet::sctp(uint16_t source, uint16_t destination)
{
    Bytes header(12);
    put16(header, 0, source);
    put16(header, 2, destination);
    return add({Kind::transport, protocol_sctp, std::move(header), 8});
}

Packet& Packet::icmp(uint8_t type, uint8_t code, Bytes body, uint32_t rest)
{
    Bytes header{type, code, 0, 0, 0, 0, 0, 0};
    put32(header, 4, rest);
    append(header, body);
    const uint16_t name = over_ipv6() ? protocol_icmpv6 : protocol_icmp;
    return add({Kind::transport, name, std::move(header), 2});
}

Packet& Packet::echo(bool reply, uint16_t id, uint16_t sequence)
{
    const uint8_t type = over_ipv6() ? (reply ? 129 : 128) : (reply ? 0 : 8);
    return icmp(type, 0, {}, uint32_t{id} << 16 | sequence);
}

Packet& Packet::echo_request(uint16_t id, uint16_t sequence)
{
    return echo(false, id, sequence);
}

Packet& Packet::echo_reply(uint16_t id, uint16_t sequence)
{
    return echo(true, id, sequence);
}

Packet& Packet::unreachable(const Bytes& quoted)
{
    return over_ipv6() ? icmp(1, 4, quoted) : icmp(3, 3, quoted);
}

Packet& Packet::neighbor_solicitation(std::string_view target)
{
    Bytes body(16);
    put_address(body, 0, target);
    return icmp(135, 0, std::move(body));
}

Packet& Packet::raw(uint8_t protocol, Bytes content)
{
    return add({Kind::content, protocol, std::move(content)});
}

Packet& Packet::payload(Bytes content)
{
    return raw(protocol_nothing, std::move(content));
}

Packet& Packet::payload(std::string_view content)
{
    return payload(Bytes(content.begin(), content.end()));
}

// Writes the name of what follows where this header keeps it. IP knows itself by an ethertype
// below Ethernet and by a protocol number inside another IP header.
void Packet::link(Layer& layer, uint16_t next) const
{
    if (layer.kind == Kind::ethernet) {
        put16(layer.header, layer.header.size() - 2, next);
        return;
    }
    if (next == ethertype_ipv4)
        next = 4;
    if (next == ethertype_ipv6)
        next = 41;
    if (layer.kind == Kind::ipv4)
        layer.header[9] = static_cast<uint8_t>(next);
    if (layer.kind == Kind::ipv6)
        layer.header[6] = static_cast<uint8_t>(next);
    if (layer.kind == Kind::extension || layer.kind == Kind::authentication)
        layer.header[0] = static_cast<uint8_t>(next);
}

// Lengths and checksums, which need all that follows; ip is the IP header around the layer.
void Packet::finish(Layer& layer, const Layer* ip, const Bytes& rest) const
{
    Bytes& header = layer.header;
    const size_t length = header.size() + rest.size();
    if (layer.kind == Kind::ipv4) {
        put16(header, 2, length);
        put16(header, 10, InternetChecksum{}.add(header).value());
    }
    if (layer.kind == Kind::ipv6)
        put16(header, 4, rest.size());
    if (layer.length_at != 0)
        put16(header, layer.length_at, length);
    if (layer.checksum_at == 0)
        return;
    if (layer.name == protocol_sctp) {
        const uint32_t crc = crc32c(header, rest);
        for (size_t i = 0; i < 4; ++i)
            header[layer.checksum_at + i] = static_cast<uint8_t>(crc >> (8 * i));
        return;
    }
    InternetChecksum sum;
    if (ip != nullptr && layer.name != protocol_icmp) {
        const bool wide = ip->kind == Kind::ipv6;
        sum.add(std::span(ip->header).subspan(wide ? 8 : 12, wide ? 32 : 8));
        sum.add(layer.name).add(static_cast<uint32_t>(length));
    }
    const uint16_t value = sum.add(header).add(rest).value();
    put16(header, layer.checksum_at, value == 0 && layer.name == protocol_udp ? 0xffff : value);
}

Bytes Packet::bytes() const
{
    std::vector<Layer> layers = layers_;
    Bytes rest;
    for (size_t i = layers.size(); i-- > 0;) {
        Layer& layer = layers[i];
        link(layer, i + 1 < layers.size() ? layers[i + 1].name : protocol_nothing);
        const auto ip = std::find_if(
            layers.rend() - static_cast<std::ptrdiff_t>(i), layers.rend(),
            [](const Layer& l) { return l.kind == Kind::ipv4 || l.kind == Kind::ipv6; });
        finish(layer, ip == layers.rend() ? nullptr : &*ip, rest);
        Bytes whole = layer.header;
        append(whole, rest);
        rest = std::move(whole);
    }
    return rest;
}

} // namespace lab
