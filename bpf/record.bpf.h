/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
/* Records in the rings, and the ledger that has each of them, told or not. */
#include "counter.bpf.h"
#include "event.bpf.h"
#include "flow.bpf.h"
#include "health.bpf.h"

/* Set between open and load. */
const volatile __u32 wakeup_bytes = 1 << 18; /* waiting in a ring before its reader is woken */

static __always_inline struct ledger *this_ledger(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&ledger_map, &zero);
}

/* Readers come by a timer; they are woken only when much is waiting. */
static __always_inline __u64 wakeup(void *ring)
{
	return bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA) >= wakeup_bytes ? BPF_RB_FORCE_WAKEUP
	                                                                  : BPF_RB_NO_WAKEUP;
}

/* Atomic: on one CPU a program of the packet path may interrupt one of the kernel hooks. */
static __always_inline void add_one(__u64 *counter)
{
	__sync_fetch_and_add(counter, 1);
}

/* What became of a record that was to be written. */
static __always_inline void count_event(enum ring which, __u32 delivered)
{
	struct ledger *ledger = this_ledger();

	if (!ledger)
		return;
	add_one(&ledger->ring[which].produced);
	if (delivered)
		add_one(&ledger->ring[which].delivered);
	else
		add_one(&ledger->ring[which].lost);
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

static __always_inline __u32 hash_key(const struct flow_key *key)
{
	const __u32 *word = (const __u32 *)key;
	__u64 hash = 0x9e3779b97f4a7c15;

	for (__u32 i = 0; i < sizeof(*key) / sizeof(*word); i++)
		hash = (hash ^ word[i]) * 0xff51afd7ed558ccd, hash ^= hash >> 32;
	return hash;
}

/* What a flow asks before it tells of something that may repeat. */
struct turn {
	const struct flow_key *key;
	void *slots; /* an array of struct refusal, in a map */
	__u32 slot_count;
	__u64 now;
	__u64 interval_ns; /* between two records of one key */
};

/*
 * Whether it is told now, and how many were not since the last time. Keys that share a slot tell
 * more often than need be, never less.
 */
static __always_inline int take_turn(const struct turn *turn, __u32 *suppressed)
{
	__u32 hash = hash_key(turn->key), slot = hash % turn->slot_count;
	__u32 tag = hash / turn->slot_count;
	struct refusal *last = bpf_map_lookup_elem(turn->slots, &slot);

	*suppressed = 0;
	if (!last)
		return 1;
	if (last->reported_ns && last->tag == tag &&
	    turn->now - last->reported_ns < turn->interval_ns) {
		__sync_fetch_and_add(&last->suppressed, 1);
		return 0;
	}
	if (last->tag == tag)
		*suppressed = last->suppressed;
	last->tag = tag;
	last->suppressed = 0;
	last->reported_ns = turn->now;
	return 1;
}

static __always_inline void count_suppressed(enum ring which)
{
	struct ledger *ledger = this_ledger();

	if (!ledger)
		return;
	add_one(&ledger->ring[which].produced);
	add_one(&ledger->ring[which].suppressed);
}
