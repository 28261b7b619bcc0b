/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
/* What a verdict leaves behind: exact counters, and records in the rings. */
#include "classify.bpf.h"
#include "counter.bpf.h"
#include "event.bpf.h"
#include "flow.bpf.h"
#include "health.bpf.h"

/* Set between open and load. */
const volatile __u64 report_interval_ns = 5000000000;  /* at most one sign of life of a flow */
const volatile __u64 refusal_interval_ns = 1000000000; /* at most one record of a refused flow */
const volatile __u32 wakeup_bytes = 1 << 18; /* waiting in a ring before its reader is woken */

static __always_inline struct ledger *this_ledger(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&ledger_map, &zero);
}

static __always_inline void count_packet(__u32 endpoint, __u32 direction, __u32 reason,
                                         __u32 audited, __u32 bytes)
{
	__u32 row = counter_row(endpoint, direction, reason, audited);
	struct counter *counter = bpf_map_lookup_elem(&counter_map, &row);

	if (!counter)
		return;
	counter->packets++;
	counter->bytes += bytes;
}

static __always_inline void count_hit(const struct decision *d)
{
	struct rule_hits *hits;

	if (!d->rule)
		return;
	hits = bpf_map_lookup_elem(&rule_hit_map, &d->rule);
	if (!hits)
		return;
	if (d->verdict == VERDICT_ALLOW)
		hits->allowed++;
	else
		hits->denied++;
}

/* Readers come by a timer; they are woken only when much is waiting. */
static __always_inline __u64 wakeup(void *ring)
{
	return bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA) >= wakeup_bytes ? BPF_RB_FORCE_WAKEUP
	                                                                  : BPF_RB_NO_WAKEUP;
}

/* What became of a record that was to be written. */
static __always_inline void count_event(enum ring which, __u32 delivered)
{
	struct ledger *ledger = this_ledger();

	if (!ledger)
		return;
	ledger->ring[which].produced++;
	if (delivered)
		ledger->ring[which].delivered++;
	else
		ledger->ring[which].lost++;
}

static __always_inline void fill_event(struct event *event, const struct flow_key *key,
                                       const struct flow *flow, __u8 type)
{
	__builtin_memset(event, 0, sizeof(*event));
	for (int i = 0; i < DIRECTION_COUNT; i++) {
		event->packets[i] = flow->packets[i];
		event->bytes[i] = flow->bytes[i];
		event->tcp_flags[i] = flow->tcp_flags[i];
	}
	event->time_ns = flow->seen_ns;
	event->opened_ns = flow->opened_ns;
	event->seen_ns = flow->seen_ns;
	event->key = *key;
	__builtin_memcpy(event->pod, flow->pod, sizeof(event->pod));
	event->rule = flow->rule;
	event->generation = flow->generation;
	event->endpoint = flow->endpoint;
	event->type = type;
	event->verdict = flow->verdict;
	event->reason = flow->reason;
	event->direction = flow->direction;
	event->state = flow->state;
	event->closer = flow->closer;
}

/* What the hooks know of the flow, if they run and have seen it. */
static __always_inline void fill_health(struct event *event, const struct flow_key *key)
{
	const struct health *health = bpf_map_lookup_elem(&health_map, key);

	if (health)
		event->health = *health;
}

/*
 * A flow tells of itself. Whether there is room is asked once: kernel 6.1 takes the answer to a
 * second question about the same record for open, and misses its release.
 */
static __noinline int report_flow(const struct flow_key *key, struct flow *flow, __u8 type)
{
	struct event *event = bpf_ringbuf_reserve(&flow_ring, sizeof(*event), 0);

	flow->reported_ns = flow->seen_ns;
	if (!event) {
		count_event(RING_FLOWS, 0);
		return 0;
	}
	fill_event(event, key, flow, type);
	fill_health(event, key);
	bpf_ringbuf_submit(event, wakeup(&flow_ring));
	count_event(RING_FLOWS, 1);
	return 0;
}

static __always_inline __u32 hash_key(const struct flow_key *key)
{
	const __u32 *word = (const __u32 *)key;
	__u64 hash = 0x9e3779b97f4a7c15;

	for (__u32 i = 0; i < sizeof(*key) / sizeof(*word); i++)
		hash = (hash ^ word[i]) * 0xff51afd7ed558ccd, hash ^= hash >> 32;
	return hash;
}

/*
 * Whether this refusal is told, and how many of its flow were not since the last time. Flows
 * that share a slot report more often than need be, never less.
 */
static __always_inline int take_turn(const struct flow_key *key, __u64 now, __u32 *suppressed)
{
	__u32 hash = hash_key(key), slot = hash % REFUSAL_SLOTS, tag = hash / REFUSAL_SLOTS;
	struct refusal *last = bpf_map_lookup_elem(&suppress_map, &slot);

	*suppressed = 0;
	if (!last)
		return 1;
	if (last->reported_ns && last->tag == tag &&
	    now - last->reported_ns < refusal_interval_ns) {
		__sync_fetch_and_add(&last->suppressed, 1);
		return 0;
	}
	if (last->tag == tag)
		*suppressed = last->suppressed;
	last->tag = tag;
	last->suppressed = 0;
	last->reported_ns = now;
	return 1;
}

static __always_inline void count_suppressed(void)
{
	struct ledger *ledger = this_ledger();

	if (!ledger)
		return;
	ledger->ring[RING_REFUSALS].produced++;
	ledger->ring[RING_REFUSALS].suppressed++;
}

/* A refused packet tells of itself, at most once for each of its flow's intervals. */
static __noinline int report_refusal(const struct flow_key *key, const struct flow *flow,
                                     __u32 direction)
{
	struct event *event;
	__u32 suppressed;

	if (!take_turn(key, flow->seen_ns, &suppressed)) {
		count_suppressed();
		return 0;
	}
	event = bpf_ringbuf_reserve(&refusal_ring, sizeof(*event), 0);
	if (!event) {
		count_event(RING_REFUSALS, 0);
		return 0;
	}
	fill_event(event, key, flow, EVENT_DROP);
	event->direction = direction;
	event->suppressed = suppressed;
	bpf_ringbuf_submit(event, wakeup(&refusal_ring));
	count_event(RING_REFUSALS, 1);
	return 0;
}
