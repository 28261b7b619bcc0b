// SPDX-License-Identifier: Apache-2.0
#include "reference/connections.h"

#include "reference/judge.h"

#include <algorithm>
#include <ranges>

using namespace ebpfd;

namespace reference {

static direction reverse(direction dir)
{
    return dir == DIRECTION_INGRESS ? DIRECTION_EGRESS : DIRECTION_INGRESS;
}

static bool is_synack(const Frame& frame)
{
    constexpr uint8_t syn_ack = 0x12;
    return (frame.tcp_flags & syn_ack) == syn_ack;
}

Connections::Connections(const World& world, uint32_t ifindex) : world_(world), ifindex_(ifindex)
{
    pod_ = std::ranges::find(world.interfaces, ifindex, &LocalInterface::ifindex)->pod.get();
}

Connections::Key Connections::key_of(const Tuple& tuple, direction dir)
{
    const bool in = dir == DIRECTION_INGRESS;
    const bool query = tuple.query != Tuple::Query::none;
    return {.peer = in ? tuple.source : tuple.destination,
            .protocol = tuple.protocol,
            .pod_port = in ? tuple.destination_port : tuple.source_port,
            .peer_port = in ? tuple.source_port : tuple.destination_port,
            .query = query,
            .pod_asks = query && (tuple.query == Tuple::Query::asked) != in};
}

Connections::Flow* Connections::find(const Key& key)
{
    const auto found = std::ranges::find(flows_, key, &Flow::key);
    return found == flows_.end() ? nullptr : &*found;
}

// Of a packet that belongs to no connection: refused only where policy governs.
Ruling Connections::stray(reason why, direction dir) const
{
    if (why < REASON_FIRST_DENIAL)
        return {true, why};
    if (!is_governed(world_, *pod_, dir))
        return {true, REASON_NO_POLICY};
    return {false, why};
}

Ruling Connections::judge_new(const Frame& frame, direction dir) const
{
    const Tuple& t = frame.tuple;
    Packet packet{.ifindex = ifindex_,
                  .dir = dir,
                  .source = t.source,
                  .destination = t.destination,
                  .protocol = t.protocol,
                  .source_port = t.source_port,
                  .destination_port = t.destination_port};
    if (dir == DIRECTION_INGRESS && is_synack(frame)) { // the answer to a SYN that was forgotten
        packet.dir = DIRECTION_EGRESS;
        packet.believed = false;
        std::swap(packet.source, packet.destination);
        std::swap(packet.source_port, packet.destination_port);
    }
    const Judgement judgement = reference::judge(world_, packet);
    return {judgement.allow, judgement.why};
}

// Goes on with its flow, or is judged for itself.
Ruling Connections::judge_connection(const Frame& frame, direction dir)
{
    const Key key = key_of(frame.tuple, dir);
    const IpAddress& pod = dir == DIRECTION_INGRESS ? frame.tuple.destination : frame.tuple.source;
    Flow* flow = find(key);
    const bool sender = flow && (dir == DIRECTION_INGRESS || flow->pod == pod);
    const bool repeated = flow && !flow->answered && flow->dir == dir;
    if (sender && (!frame.opens || repeated)) {
        flow->answered |= flow->dir != dir;
        return {true, flow->why};
    }
    const Ruling ruling = judge_new(frame, dir);
    if (ruling.allow && !frame.answers) {
        std::erase_if(flows_, [&](const Flow& each) { return each.key == key; });
        const bool answer = dir == DIRECTION_INGRESS && is_synack(frame);
        flows_.push_back({key, pod, answer ? reverse(dir) : dir, ruling.why});
    }
    return ruling;
}

// By the ports of the newest first fragment of the same datagram.
Ruling Connections::judge_later_fragment(const Frame& frame, direction dir)
{
    for (const auto& [first, first_dir] : fragments_ | std::views::reverse) {
        const bool v4 = frame.tuple.source.is_v4();
        if (first_dir != dir || first.fragment_id != frame.fragment_id ||
            first.tuple.source != frame.tuple.source ||
            first.tuple.destination != frame.tuple.destination ||
            (v4 && first.tuple.protocol != frame.tuple.protocol))
            continue;
        Frame whole = frame;
        whole.tuple = first.tuple;
        whole.answers = true; // opens nothing of its own
        return judge_connection(whole, dir);
    }
    return stray(REASON_FRAGMENT, dir);
}

// Whether an ICMP error quotes what its receiver sent, and what that belonged to passes.
bool Connections::is_quote_of_flow(const Frame& frame, direction dir)
{
    const Packet error{.ifindex = ifindex_,
                       .dir = dir,
                       .source = frame.tuple.source,
                       .destination = frame.tuple.destination};
    if (spoofed(world_, error, *pod_) || !frame.quoted ||
        frame.quoted->source != frame.tuple.destination)
        return false;
    const Flow* flow = find(key_of(*frame.quoted, reverse(dir)));
    return flow && flow->pod ==
                       (dir == DIRECTION_EGRESS ? frame.quoted->destination : frame.quoted->source);
}

// A pod sends no neighbour message that is a router's, and none to strangers beyond the link.
bool Connections::is_needed(const Frame& frame, direction dir) const
{
    const IpAddress& to = frame.tuple.destination;
    if (dir == DIRECTION_INGRESS || frame.arp)
        return true;
    return !frame.of_router && (to.bytes[0] == 0xff || is_on_link(to) || is_known(world_, to));
}

Ruling Connections::judge(std::span<const uint8_t> bytes, direction dir)
{
    const Frame frame = read_frame(bytes);
    switch (frame.kind) {
    case FrameKind::connection:
        if (frame.first_fragment)
            fragments_.push_back({frame, dir});
        return judge_connection(frame, dir);
    case FrameKind::later_fragment:
        return judge_later_fragment(frame, dir);
    case FrameKind::icmp_error:
        return is_quote_of_flow(frame, dir) ? stray(REASON_ICMP_ERROR, dir)
                                            : judge_connection(frame, dir);
    case FrameKind::neighbor:
        return is_needed(frame, dir) ? stray(REASON_NEIGHBOR, dir) : judge_connection(frame, dir);
    case FrameKind::not_ip:
        return stray(REASON_NOT_IP, dir);
    case FrameKind::source_routed:
        return stray(REASON_SOURCE_ROUTED, dir);
    case FrameKind::malformed:
        break;
    }
    return stray(REASON_MALFORMED, dir);
}

} // namespace reference
