/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
/* What a verdict leaves behind: exact counters, and records in the rings. */
#include "classify.bpf.h"
#include "record.bpf.h"
#include "verdict.bpf.h"

/* Set between open and load. */
const volatile __u64 report_interval_ns = 5000000000; /* at most one sign of life of a flow */
const volatile __u32 refusal_interval_ms = 1000;      /* at most one record of a refused flow */

static __always_inline void count_packet(__u32 endpoint, __u32 direction, __u32 reason, __u32 would,
                                         __u32 bytes)
{
	struct endpoint_counters *counters = bpf_map_lookup_elem(&counter_map, &endpoint);
	__u32 row = counter_row(direction, reason, would);
	struct counter *counter;

	if (!counters)
		return;
	counter = &counters->row[MASKED(row, COUNTERS_PER_ENDPOINT - 1)];
	counter->packets++;
	counter->bytes += bytes;
}

static __always_inline void count_hit(__u32 rule, int denied, __u64 now)
{
	struct rule_hits *hits;

	if (!rule)
		return;
	hits = bpf_map_lookup_elem(&rule_hit_map, &rule);
	if (!hits)
		return;
	if (denied)
		hits->denied++;
	else
		hits->allowed++;
	hits->last_ns = now;
}

/* For the rule that decided; where a dry-run policy would turn the verdict, for both rules. */
static __always_inline void count_hits(const struct decision *d, __u64 now)
{
	int denied = d->verdict == VERDICT_DENY || d->verdict == VERDICT_WOULD_DENY;

	count_hit(d->rule, denied, now);
	count_hit(d->enforced_rule, !denied, now);
}

static __always_inline int is_watched_pod(const struct flow_key *key)
{
	if (key->ifindex == state.watch.ifindex)
		return 1;
	for (int i = 0; i < WATCH_ADDRESSES; i++) {
		const volatile __u64 *watched = (const volatile __u64 *)state.watch.address[i];
		__u64 peer[2];

		__builtin_memcpy(peer, key->peer, sizeof(peer));
		if (peer[0] == watched[0] && peer[1] == watched[1])
			return 1;
	}
	return 0;
}

/* Whether somebody wants to know of what a flow has to tell. */
static __always_inline int is_watched(const struct flow_key *key, const struct flow *flow,
                                      __u8 type)
{
	__be16 port = state.watch.port;

	if (!(state.watch.types & 1 << (type & 31)) ||
	    !(state.watch.verdicts & 1 << (flow->verdict & 31)))
		return 0;
	if (port && port != key->pod_port && port != key->peer_port)
		return 0;
	return !state.watch.pod || is_watched_pod(key);
}

/* Nothing is known of a flow that opens, nor, but of TCP, of one that is answered. */
static __always_inline int may_have_health(const struct flow_key *key, const struct flow *flow,
                                           __u8 type)
{
	if (type == EVENT_FLOW_UPDATE && flow->packets[!flow->direction] == 1)
		return key->protocol == IPPROTO_TCP;
	return type != EVENT_FLOW_OPEN;
}

/*
 * A flow tells of itself; changed: of more than that it lives. Whether there is room is asked
 * once: kernel 6.1 takes the answer to a second question about the same record for open, and
 * misses its release.
 */
static __noinline int report_flow(const struct flow_key *key, struct flow *flow, __u8 type,
                                  __u32 changed)
{
	struct event *event;

	flow->reported_ns = flow->seen_ns;
	if (!(changed && state.watch.changes) && !is_watched(key, flow, type)) {
		count_record(type, OUTCOME_SUPPRESSED);
		return 0;
	}
	event = bpf_ringbuf_reserve(&flow_ring, sizeof(*event), 0);
	if (!event) {
		count_record(type, OUTCOME_LOST);
		return 0;
	}
	fill_event(event, key, flow, type);
	if (may_have_health(key, flow, type))
		fill_health(event, key);
	bpf_ringbuf_submit(event, wakeup(&flow_ring));
	count_record(type, OUTCOME_DELIVERED);
	return 0;
}

/*
 * A refused packet tells of itself, at most once for each of its flow's intervals. A global
 * function: verified once, not along every path that leads here.
 */
__noinline int report_refusal(const struct flow_key *key, const struct flow *flow, __u64 whose,
                              __u32 direction, __u64 now_ns)
{
	__u32 now_ms = now_ns / 1000000;
	struct event *event;
	struct turn *turn;

	if (!key || !flow)
		return 0;
	turn = find_turn(&suppress_map, whose, now_ms);
	if (!turn)
		return 0;
	if (keeps_quiet(turn, whose, now_ms, refusal_interval_ms)) {
		count_record(EVENT_DROP, OUTCOME_SUPPRESSED);
		return 0;
	}
	event = bpf_ringbuf_reserve(&refusal_ring, sizeof(*event), 0);
	if (!event) {
		miss_turn(turn, whose);
		count_record(EVENT_DROP, OUTCOME_LOST);
		return 0;
	}
	fill_event(event, key, flow, EVENT_DROP);
	event->time_ns = now_ns; /* the flow's own is that of its opener's last packet */
	event->direction = direction;
	event->suppressed = take_turn(turn, whose, now_ms);
	bpf_ringbuf_submit(event, wakeup(&refusal_ring));
	count_record(EVENT_DROP, OUTCOME_DELIVERED);
	return 0;
}
