// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "observe/record.h"

#include <algorithm>
#include <arpa/inet.h>

// The world of these tests: web at 10.0.0.1 on veth7, db at 10.0.0.2 elsewhere, and rule 9.
namespace ebpfd::testing {

inline std::shared_ptr<const Names> names()
{
    auto out = std::make_shared<Names>();
    const auto labels = std::make_shared<const Labels>(Labels{{"app", "web"}, {"tier", "front"}});
    const auto web = std::make_shared<PodName>("shop", "web", "veth7", labels);
    out->interfaces[7] = web;
    out->addresses[*IpAddress::parse("10.0.0.1")] = web;
    out->addresses[*IpAddress::parse("10.0.0.2")] = std::make_shared<PodName>("shop", "db", "");
    out->rules[9] = std::make_shared<RuleName>(
        RuleName{"shop", "allow", RULE_NETWORK_POLICY, DIRECTION_EGRESS, 2, "/p/allow.yaml", 12});
    out->rules[10] = std::make_shared<RuleName>(
        RuleName{"shop", "one,two", RULE_ISOLATION, DIRECTION_INGRESS, 0, "/p/one.yaml", 3});
    return out;
}

inline void put(const char* address, __u8 (&out)[16])
{
    std::ranges::copy(IpAddress::parse(address)->bytes, out);
}

// web opens a connection to the peer's port 5432 and a rule allows it.
inline event opened(uint64_t time_ns = 1, const char* peer = "10.0.0.2")
{
    event out{};
    out.time_ns = time_ns;
    out.packets[DIRECTION_INGRESS] = 1;
    out.packets[DIRECTION_EGRESS] = 2;
    out.bytes[DIRECTION_INGRESS] = 60;
    out.bytes[DIRECTION_EGRESS] = 140;
    put(peer, out.key.peer);
    put("10.0.0.1", out.pod);
    out.key.ifindex = 7;
    out.key.pod_port = htons(40000);
    out.key.peer_port = htons(5432);
    out.key.protocol = IPPROTO_TCP;
    out.rule = 9;
    out.generation = 4;
    out.type = EVENT_FLOW_OPEN;
    out.verdict = VERDICT_ALLOW;
    out.reason = REASON_RULE;
    out.direction = DIRECTION_EGRESS;
    out.state = FLOW_ESTABLISHED;
    out.opened_ns = 2;
    out.tcp_flags[DIRECTION_INGRESS] = 0x12;
    out.tcp_flags[DIRECTION_EGRESS] = 0x02;
    return out;
}

// web is refused a packet from the peer.
inline event refused(uint64_t time_ns = 1, const char* peer = "10.0.0.2")
{
    event out = opened(time_ns, peer);
    out.rule = 10;
    out.type = EVENT_DROP;
    out.verdict = VERDICT_DENY;
    out.reason = REASON_DENIED;
    out.direction = DIRECTION_INGRESS;
    out.suppressed = 3;
    return out;
}

} // namespace ebpfd::testing
