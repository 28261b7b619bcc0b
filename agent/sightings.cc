// SPDX-License-Identifier: Apache-2.0
#include "sightings.h"

#include "base/clock.h"
#include "model/names.h"

#include <algorithm>
#include <arpa/inet.h>
#include <chrono>
#include <netinet/in.h>
#include <set>
#include <string>
#include <unordered_map>

namespace ebpfd {
namespace {

Sighting sighting_of(const flow_key& key, const __u8 (&pod)[16], direction dir)
{
    const bool in = dir == DIRECTION_INGRESS;
    Sighting sighting;
    sighting.question = {.ifindex = key.ifindex,
                         .dir = dir,
                         .pod = address_of(pod),
                         .peer = address_of(key.peer),
                         .protocol = key.protocol};
    if (has_ports(key.protocol))
        sighting.question.port = ntohs(in ? key.pod_port : key.peer_port);
    sighting.source_port = ntohs(in ? key.peer_port : key.pod_port);
    return sighting;
}

// Whether the side that is said to have opened it has: else it may be an answer in the middle.
bool is_begun(uint8_t protocol, uint8_t opener_flags)
{
    return protocol != IPPROTO_TCP || (opener_flags & TCP_SYN) != 0;
}

// One that has ended is kept for late packets, and a TCP one that nobody has answered never began.
bool is_open(uint8_t protocol, const flow& entry)
{
    return entry.state != FLOW_CLOSED && (protocol != IPPROTO_TCP || !is_pending(&entry));
}

Sighting sighting_of(const flow_key& key, const flow& entry, int64_t offset_ns)
{
    const auto dir = static_cast<direction>(entry.direction & 1);
    Sighting sighting = sighting_of(key, entry.pod, dir);
    sighting.question.believed = entry.believed != 0;
    sighting.passed = !is_refused(entry.verdict);
    sighting.open = sighting.passed && is_open(key.protocol, entry);
    sighting.begun = is_begun(key.protocol, entry.tcp_flags[dir]);
    sighting.seen_ns = static_cast<int64_t>(entry.seen_ns) + offset_ns;
    return sighting;
}

bool is_same(const PodName* name, const Pod* pod)
{
    if (name == nullptr || pod == nullptr)
        return name == nullptr && pod == nullptr;
    return name->pod == pod->name && name->pod_namespace == pod->pod_namespace;
}

// The reason is that of the verdict that would be, where a dry run would turn it.
bool is_of_policy(const event& raw)
{
    return raw.reason == REASON_DENIED || raw.reason == REASON_SPOOFED ||
           raw.reason == REASON_UNKNOWN_POD || raw.verdict == VERDICT_WOULD_ALLOW;
}

// A refusal's direction is the packet's; its connection's is that of the rule that refused it.
direction opened_in(const AttributedEvent& record)
{
    if (record.raw.type == EVENT_DROP && record.rule != nullptr)
        return record.rule->dir;
    return static_cast<direction>(record.raw.direction & 1);
}

class Gathering {
public:
    explicit Gathering(const AddressBook& book) : book_(book)
    {
        for (const LocalInterface& local : book.world().interfaces)
            pods_.emplace(local.ifindex, local.pod.get());
    }

    void add(const flow_key& key, const flow& entry, int64_t offset_ns)
    {
        if (entry.state == FLOW_CLOSED)
            return; // kept for late packets; what it was stands in the history
        if (pods_.contains(key.ifindex))
            result_.list.push_back(sighting_of(key, entry, offset_ns));
        else
            leave_out(key);
    }

    void add(const AttributedEvent& record)
    {
        const event& raw = record.raw;
        result_.records++;
        result_.since_ns = std::min(result_.since_ns.value_or(record.time_ns), record.time_ns);
        if (raw.type == EVENT_DROP && !is_of_policy(raw))
            return;
        const direction dir = opened_in(record);
        const bool begun = is_begun(raw.key.protocol, raw.tcp_flags[dir]);
        if (raw.type == EVENT_DROP && !begun)
            return; // part of nothing that could be judged
        if (!has_its_ends(record))
            return leave_out(raw.key);
        Sighting sighting = sighting_of(raw.key, raw.pod, dir);
        sighting.passed = !is_refused(raw.verdict);
        // The record does not say; the node's own traffic is never refused, by a dry run neither.
        sighting.question.believed = raw.verdict == VERDICT_ALLOW;
        sighting.begun = begun;
        sighting.seen_ns = record.time_ns;
        result_.list.push_back(sighting);
    }

    Sightings take()
    {
        result_.not_judged = left_out_.size();
        return std::move(result_);
    }

private:
    bool has_its_ends(const AttributedEvent& record) const
    {
        const auto local = pods_.find(record.raw.key.ifindex);
        return local != pods_.end() && local->second != nullptr &&
               is_same(record.pod.get(), local->second) &&
               is_same(record.peer.get(), book_.pod(address_of(record.raw.key.peer)));
    }

    void leave_out(const flow_key& key)
    {
        left_out_.emplace(reinterpret_cast<const char*>(&key), sizeof(key));
    }

    const AddressBook& book_;
    std::unordered_map<uint32_t, const Pod*> pods_; // by interface
    std::set<std::string> left_out_;
    Sightings result_;
};

RecordFilter of_connections()
{
    RecordFilter::Conditions conditions;
    for (const char* type : {"flow_open", "flow_update", "flow_close", "drop"})
        conditions.emplace("type", type);
    return RecordFilter::parse(conditions).value_or(RecordFilter());
}

} // namespace

Result<Sightings> gather_sightings(const PinnedMaps& maps, const Observer& observer,
                                   const AddressBook& book)
{
    auto flows = maps.flows(true);
    if (!flows)
        return fail("open connections", flows.error());
    Gathering gathering(book);
    const int64_t offset_ns = clock_offset_ns();
    for (const auto& [key, entry] : *flows)
        gathering.add(key, entry, offset_ns);
    for (const AttributedEvent& record : observer.recent(of_connections(), {}))
        gathering.add(record);
    return gathering.take();
}

} // namespace ebpfd
