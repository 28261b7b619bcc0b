// SPDX-License-Identifier: Apache-2.0
#include "kernel/flows.h"

#include "kernel/applied.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <iterator>
#include <netinet/in.h>

namespace ebpfd {

namespace {

constexpr uint64_t SECOND = 1'000'000'000;
constexpr uint64_t pending_limit_ns = 300 * SECOND;
constexpr uint64_t refusal_limit_ns = 10 * SECOND; // costs one more judgement, nothing else

event closing_event(const flow_key& key, const flow& value, uint64_t now_ns)
{
    event record{};
    record.time_ns = now_ns;
    std::ranges::copy(value.packets, record.packets);
    std::ranges::copy(value.bytes, record.bytes);
    record.opened_ns = value.opened_ns;
    record.seen_ns = value.seen_ns;
    record.key = key;
    std::ranges::copy(value.pod, record.pod);
    record.rule = value.rule;
    record.generation = value.generation;
    record.endpoint = value.endpoint;
    record.type = EVENT_FLOW_CLOSE;
    record.verdict = value.verdict;
    record.reason = value.reason;
    record.direction = value.direction;
    record.state = FLOW_CLOSED;
    std::ranges::copy(value.tcp_flags, record.tcp_flags);
    record.closer = is_refused(value.verdict) ? CLOSER_POLICY : CLOSER_TIMEOUT;
    return record;
}

// The last that was known of the health of flows that go, which goes with them.
Result<void> take_health(const Maps& maps, std::vector<flow_key> going, std::vector<event>& ends)
{
    for (event& end : ends) {
        auto known = maps.healths.lookup(end.key);
        if (!known)
            return std::unexpected(known.error());
        end.health = known->value_or(health{});
    }
    std::ranges::sort(going, ByBytes{});
    std::vector<flow_key> owned;
    auto read = maps.healths.for_each([&](const flow_key& key, const health&) {
        if (std::ranges::binary_search(going, key, ByBytes{}))
            owned.push_back(key);
    });
    return read ? maps.healths.erase(owned) : read;
}

// Removes those that are picked and reports the ends that the datapath has not reported.
template <class Picking>
Result<size_t> remove_if(const Maps& maps, const Sweep& sweep, const Picking& picking)
{
    std::vector<flow_key> going;
    std::vector<event> ends;
    auto freed = maps.flows.free_if(picking, [&](const flow_key& key, const flow& value) {
        going.push_back(key);
        if (value.state != FLOW_CLOSED && sweep.closed)
            ends.push_back(closing_event(key, value, sweep.now_ns));
    });
    if (!freed)
        return std::unexpected(freed.error());
    if (going.empty())
        return 0;
    if (auto taken = take_health(maps, going, ends); !taken)
        return std::unexpected(taken.error());
    std::ranges::for_each(ends, [&](const event& end) { sweep.closed(end); });
    return going.size();
}

bool outlived(const flow& value, uint64_t limit_ns, uint64_t now_ns)
{
    return value.seen_ns < now_ns && now_ns - value.seen_ns > limit_ns;
}

uint64_t limit_ns(flow_class kind, const flow_key& key, const flow& value, bool crowded)
{
    if (kind == FLOW_ENTRY_REFUSED)
        return refusal_limit_ns;
    return is_pending(&value) ? pending_limit_ns : idle_limit_ns(key, value, crowded);
}

template <class V> Result<size_t> count_entries(const Map<flow_key, V>& map)
{
    size_t count = 0;
    auto read = map.raw().read([&](const void*, const void*, uint32_t some) { count += some; });
    if (!read)
        return std::unexpected(read.error());
    return count;
}

// Pending flows that had to make room leave their health behind. Looked for only where there is
// more health than flows, which bounds it: a search compares everything with everything.
Result<void> forget_strays(const Maps& maps, size_t flows)
{
    auto healths = count_entries(maps.healths);
    if (!healths || *healths <= flows)
        return healths ? Result<void>{} : std::unexpected(healths.error());
    std::vector<flow_key> known;
    if (auto read =
            maps.flows.for_each([&](const flow_key& key, const flow&) { known.push_back(key); });
        !read)
        return read;
    std::ranges::sort(known, ByBytes{});
    std::vector<flow_key> strays;
    auto read = maps.healths.for_each([&](const flow_key& key, const health&) {
        if (!std::ranges::binary_search(known, key, ByBytes{}))
            strays.push_back(key);
    });
    return read ? maps.healths.erase(strays) : read;
}

} // namespace

uint64_t idle_limit_ns(const flow_key& key, const flow& value, bool crowded)
{
    if (value.state == FLOW_CLOSED)
        return (crowded ? 1 : 10) * SECOND;
    if (is_refused(value.verdict)) // cut by a policy: kept while its ends still try
        return 300 * SECOND;
    switch (key.protocol) {
    case IPPROTO_TCP:
        return 6 * 3600 * SECOND;
    case IPPROTO_ICMP:
    case IPPROTO_ICMPV6:
        return 30 * SECOND;
    default:
        return 180 * SECOND;
    }
}

Result<size_t> remove_flows(const Maps& maps, const std::set<uint32_t>& interfaces)
{
    return remove_if(maps, {}, [&](flow_class, const flow_key& key, const flow&) {
        return interfaces.contains(key.ifindex);
    });
}

Result<size_t> sweep_flows(const Maps& maps, const Sweep& sweep)
{
    size_t count = 0;
    const auto rule = [&](size_t flows) -> FlowTable::Pick {
        count = flows;
        const bool crowded = flows > size_t{maps.flows.capacity()} / 4 * 3;
        return [&, crowded](flow_class kind, const flow_key& key, const flow& value) {
            return !sweep.has_endpoint(key.ifindex) ||
                   outlived(value, limit_ns(kind, key, value, crowded), sweep.now_ns);
        };
    };
    auto removed = remove_if(maps, sweep, rule);
    if (!removed)
        return removed;
    if (auto forgotten = forget_strays(maps, count - std::min(count, *removed)); !forgotten)
        return std::unexpected(forgotten.error());
    return removed;
}

} // namespace ebpfd
