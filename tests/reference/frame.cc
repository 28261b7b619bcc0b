// SPDX-License-Identifier: Apache-2.0
#include "reference/frame.h"

#include <algorithm>

using namespace ebpfd;

namespace reference {
namespace {

using Query = Tuple::Query;

// The programs look no further into a frame for a protocol's header.
constexpr size_t headers_end = 512;
constexpr int extensions_max = 8;

enum Number : uint8_t {
    hop_by_hop = 0,
    icmp = 1,
    tcp = 6,
    udp = 17,
    routing = 43,
    fragment = 44,
    authentication = 51,
    icmpv6 = 58,
    destination_options = 60,
    sctp = 132
};

// Goes through the bytes from first to last. Beyond the end it reads zeros, and is cut.
class Reader {
public:
    explicit Reader(std::span<const uint8_t> bytes) : bytes_(bytes) {}

    uint8_t byte()
    {
        cut_ |= at_ >= bytes_.size();
        return at_ < bytes_.size() ? bytes_[at_++] : uint8_t{0};
    }
    uint16_t word()
    {
        const int high = byte();
        return static_cast<uint16_t>(high << 8 | byte());
    }
    uint32_t number()
    {
        const uint32_t high = word();
        return high << 16 | word();
    }
    void skip(size_t count)
    {
        cut_ |= count > left();
        at_ += std::min(count, left());
    }
    IpAddress ipv4()
    {
        IpAddress address;
        address.bytes[10] = address.bytes[11] = 0xff;
        for (size_t i = 12; i < 16; i++)
            address.bytes[i] = byte();
        return address;
    }
    IpAddress ipv6()
    {
        IpAddress address;
        for (auto& each : address.bytes)
            each = byte();
        return address;
    }
    // Nothing lies behind the next count bytes.
    void end_after(size_t count)
    {
        cut_ |= count > left();
        bytes_ = bytes_.first(at_ + std::min(count, left()));
    }
    size_t left() const { return bytes_.size() - at_; }
    size_t at() const { return at_; }
    bool cut() const { return cut_; }

private:
    std::span<const uint8_t> bytes_;
    size_t at_ = 0;
    bool cut_ = false;
};

bool has_ports(uint8_t protocol)
{
    return protocol == tcp || protocol == udp || protocol == sctp;
}

void read_tcp(Reader& in, Frame& frame)
{
    constexpr uint8_t fin = 1, syn = 2, rst = 4, ack = 16;
    frame.tuple.source_port = in.word();
    frame.tuple.destination_port = in.word();
    in.skip(9);
    frame.tcp_flags = in.byte();
    in.skip(6);
    frame.opens = (frame.tcp_flags & (syn | ack)) == syn;
    frame.answers = (frame.tcp_flags & (fin | rst)) != 0;
}

void read_udp(Reader& in, Frame& frame)
{
    frame.tuple.source_port = in.word();
    frame.tuple.destination_port = in.word();
    in.skip(4);
}

void read_sctp(Reader& in, Frame& frame)
{
    constexpr uint8_t init = 1;
    frame.tuple.source_port = in.word();
    frame.tuple.destination_port = in.word();
    in.skip(8);
    frame.opens = in.left() > 0 && in.byte() == init;
}

// The identifier that both sides of a query have; the header is read to its end.
void read_query(Reader& in, Tuple& tuple, Query query)
{
    in.skip(2);
    const uint16_t identifier = in.word();
    in.skip(2);
    tuple.query = query;
    if (query != Query::none)
        (query == Query::asked ? tuple.source_port : tuple.destination_port) = identifier;
}

Query query_of_icmp(uint8_t type)
{
    if (type == 8 || type == 13)
        return Query::asked;
    return type == 0 || type == 14 ? Query::answered : Query::none;
}

Query query_of_icmpv6(uint8_t type)
{
    if (type == 128)
        return Query::asked;
    return type == 129 ? Query::answered : Query::none;
}

void read_quoted_upper(Reader& in, Tuple& quoted)
{
    if (has_ports(quoted.protocol)) {
        quoted.source_port = in.word();
        quoted.destination_port = in.word();
    } else if (quoted.protocol == icmp || quoted.protocol == icmpv6) {
        const uint8_t type = in.byte();
        in.skip(1);
        const bool v4 = quoted.source.is_v4();
        read_query(in, quoted, v4 ? query_of_icmp(type) : query_of_icmpv6(type));
    }
}

std::optional<Tuple> read_quoted_ipv4(Reader in)
{
    Tuple quoted;
    const uint8_t first = in.byte();
    in.skip(5);
    const uint16_t fragment_offset = in.word() & 0x1fff;
    in.skip(1);
    quoted.protocol = in.byte();
    in.skip(2);
    quoted.source = in.ipv4();
    quoted.destination = in.ipv4();
    const size_t words = first & 15;
    if (first >> 4 != 4 || words < 5 || fragment_offset != 0)
        return std::nullopt;
    in.skip(words * 4 - 20);
    read_quoted_upper(in, quoted);
    return in.cut() ? std::nullopt : std::optional(quoted);
}

// Extension headers, and what they make of the frame.
struct Extensions {
    FrameKind kind = FrameKind::connection;
    uint8_t next = 0;
    uint32_t fragment_id = 0;
    bool more_fragments = false;
};

bool is_extension(uint8_t number)
{
    return number == hop_by_hop || number == routing || number == fragment ||
           number == authentication || number == destination_options;
}

Extensions read_extensions(Reader& in, uint8_t next)
{
    Extensions found{.next = next};
    for (int count = 0; is_extension(found.next); count++) {
        if (count == extensions_max)
            return {.kind = FrameKind::malformed};
        const uint8_t number = found.next;
        found.next = in.byte();
        const size_t length = in.byte();
        const uint16_t offset = in.word(); // of a routing header: type and segments left
        const uint32_t rest = in.number();
        if (in.cut())
            return {.kind = FrameKind::malformed};
        if (number == routing && (offset & 0xff) != 0)
            return {.kind = FrameKind::source_routed};
        if (number != fragment) {
            in.skip(length * (number == authentication ? 4 : 8));
            continue;
        }
        found.fragment_id = rest;
        found.more_fragments = (offset & 1) != 0;
        if (offset >> 3 != 0) {
            found.kind = FrameKind::later_fragment;
            return found;
        }
    }
    if (in.cut() || in.at() >= headers_end)
        return {.kind = FrameKind::malformed};
    return found;
}

std::optional<Tuple> read_quoted_ipv6(Reader in)
{
    Tuple quoted;
    in.skip(6);
    const uint8_t next = in.byte();
    in.skip(1);
    quoted.source = in.ipv6();
    quoted.destination = in.ipv6();
    if (quoted.source.is_v4() || quoted.destination.is_v4())
        return std::nullopt;
    const Extensions extensions = read_extensions(in, next);
    if (extensions.kind != FrameKind::connection)
        return std::nullopt;
    quoted.protocol = extensions.next;
    read_quoted_upper(in, quoted);
    return in.cut() ? std::nullopt : std::optional(quoted);
}

void read_icmp(Reader& in, Frame& frame)
{
    const uint8_t type = in.byte();
    in.skip(1);
    const Query query = query_of_icmp(type);
    read_query(in, frame.tuple, query);
    frame.answers = query == Query::answered;
    if (type == 3 || type == 4 || type == 11 || type == 12) {
        frame.kind = FrameKind::icmp_error;
        frame.answers = true;
        frame.quoted = read_quoted_ipv4(in);
    }
}

bool is_neighbor_message(uint8_t type, uint8_t hop_limit, const IpAddress& source)
{
    if (type >= 133 && type <= 137)
        return hop_limit == 255;
    const bool listener = (type >= 130 && type <= 132) || type == 143;
    const bool on_link = source.bytes[0] == 0xfe && (source.bytes[1] & 0xc0) == 0x80;
    return listener && hop_limit == 1 && (on_link || source == IpAddress{});
}

void read_icmpv6(Reader& in, Frame& frame, uint8_t hop_limit)
{
    const uint8_t type = in.byte();
    in.skip(1);
    const Query query = query_of_icmpv6(type);
    read_query(in, frame.tuple, query);
    frame.answers = query == Query::answered;
    if (is_neighbor_message(type, hop_limit, frame.tuple.source)) {
        frame.kind = FrameKind::neighbor;
        frame.of_router = type == 134 || type == 137;
    } else if (type < 128) {
        frame.kind = FrameKind::icmp_error;
        frame.answers = true;
        frame.quoted = read_quoted_ipv6(in);
    }
}

bool has_source_route(Reader options)
{
    while (options.left() > 0) {
        const uint8_t option = options.byte();
        if (option == 131 || option == 137)
            return true;
        if (option == 0)
            return false;
        if (option != 1)
            options.skip(std::max<size_t>(options.byte(), 2) - 2);
    }
    return false;
}

void read_upper(Reader& in, Frame& frame, uint8_t hop_limit)
{
    const bool v4 = frame.tuple.source.is_v4();
    frame.kind = FrameKind::connection;
    if (frame.tuple.protocol == tcp)
        read_tcp(in, frame);
    else if (frame.tuple.protocol == udp)
        read_udp(in, frame);
    else if (frame.tuple.protocol == sctp)
        read_sctp(in, frame);
    else if (frame.tuple.protocol == icmp && v4)
        read_icmp(in, frame);
    else if (frame.tuple.protocol == icmpv6 && !v4)
        read_icmpv6(in, frame, hop_limit);
    if (in.cut())
        frame = {.kind = FrameKind::malformed};
}

Frame read_ipv4(Reader in)
{
    Frame frame;
    const uint8_t first = in.byte();
    in.skip(1);
    const size_t total = in.word();
    frame.fragment_id = in.word();
    const uint16_t fragment_field = in.word();
    in.skip(1);
    frame.tuple.protocol = in.byte();
    in.skip(2);
    frame.tuple.source = in.ipv4();
    frame.tuple.destination = in.ipv4();
    const size_t header = size_t{first & 15U} * 4;
    if (in.cut() || first >> 4 != 4 || header < 20 || (total != 0 && total < header))
        return {.kind = FrameKind::malformed};
    if (total != 0) // 0: a packet of more than 64 KiB
        in.end_after(total - 20);
    Reader options = in;
    options.end_after(header - 20);
    in.skip(header - 20);
    if (in.cut())
        return {.kind = FrameKind::malformed};
    if (has_source_route(options))
        return {.kind = FrameKind::source_routed};
    if ((fragment_field & 0x1fff) != 0) {
        frame.kind = FrameKind::later_fragment;
        return frame;
    }
    frame.first_fragment = (fragment_field & 0x2000) != 0;
    read_upper(in, frame, 0);
    return frame;
}

Frame read_ipv6(Reader in)
{
    Frame frame;
    const uint8_t first = in.byte();
    in.skip(3);
    const size_t payload = in.word();
    const uint8_t next = in.byte();
    const uint8_t hop_limit = in.byte();
    frame.tuple.source = in.ipv6();
    frame.tuple.destination = in.ipv6();
    if (payload != 0) // 0: a jumbogram
        in.end_after(payload);
    // A mapped address would pass for an IPv4 pod's.
    if (in.cut() || first >> 4 != 6 || frame.tuple.source.is_v4() ||
        frame.tuple.destination.is_v4())
        return {.kind = FrameKind::malformed};
    const Extensions extensions = read_extensions(in, next);
    frame.kind = extensions.kind;
    frame.tuple.protocol = extensions.next;
    frame.fragment_id = extensions.fragment_id;
    if (extensions.kind != FrameKind::connection)
        return frame;
    frame.first_fragment = extensions.more_fragments;
    read_upper(in, frame, hop_limit);
    return frame;
}

} // namespace

Frame read_frame(std::span<const uint8_t> bytes)
{
    Reader in(bytes);
    in.skip(12);
    uint16_t protocol = in.word();
    for (int tags = 0; tags < 2 && (protocol == 0x8100 || protocol == 0x88a8); tags++) {
        in.skip(2);
        protocol = in.word();
    }
    if (in.cut())
        return {.kind = FrameKind::malformed};
    if (protocol == 0x0806)
        return {.kind = FrameKind::neighbor, .arp = true};
    if (protocol == 0x0800)
        return read_ipv4(in);
    if (protocol == 0x86dd)
        return read_ipv6(in);
    return {.kind = FrameKind::not_ip};
}

} // namespace reference
