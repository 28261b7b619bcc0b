// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "model/address.h"

#include <cstdint>
#include <optional>
#include <span>

// What the bytes of a frame are, read one after the other: slow, short, and nothing in it is
// shared with the programs that it judges.
namespace reference {

enum class FrameKind : uint8_t {
    connection,
    icmp_error,
    later_fragment,
    neighbor, // ARP, neighbour discovery, multicast listener discovery
    not_ip,
    malformed,
    source_routed,
};

// Ports in host byte order; 0 where the protocol has none. Of an ICMP query the asker's port is the
// identifier, the other one 0.
struct Tuple {
    ebpfd::IpAddress source;
    ebpfd::IpAddress destination;
    uint8_t protocol = 0;
    uint16_t source_port = 0;
    uint16_t destination_port = 0;
    enum class Query : uint8_t { none, asked, answered } query = Query::none;
};

struct Frame {
    FrameKind kind = FrameKind::malformed;
    Tuple tuple{};
    std::optional<Tuple> quoted{}; // of an ICMP error, if it can be told
    bool first_fragment = false;
    uint32_t fragment_id = 0;
    uint8_t tcp_flags = 0;
    bool opens = false;   // can only be the first packet of a connection
    bool answers = false; // can only be an answer
    bool arp = false;
    bool of_router = false; // a neighbour message that only routers send
};

Frame read_frame(std::span<const uint8_t> bytes);

} // namespace reference
