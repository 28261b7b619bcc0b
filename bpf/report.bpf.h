/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
/* What a verdict leaves behind: exact counters, and records in the rings. */
#include "classify.bpf.h"
#include "record.bpf.h"

/* Set between open and load. */
const volatile __u64 report_interval_ns = 5000000000;  /* at most one sign of life of a flow */
const volatile __u64 refusal_interval_ns = 1000000000; /* at most one record of a refused flow */

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

/* A refused packet tells of itself, at most once for each of its flow's intervals. */
static __noinline int report_refusal(const struct flow_key *key, const struct flow *flow,
                                     __u32 direction)
{
	struct turn turn = {
		.key = key,
		.slots = &suppress_map,
		.slot_count = REFUSAL_SLOTS,
		.now = flow->seen_ns,
		.interval_ns = refusal_interval_ns,
	};
	struct event *event;
	__u32 suppressed;

	if (!take_turn(&turn, &suppressed)) {
		count_suppressed(RING_REFUSALS);
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
