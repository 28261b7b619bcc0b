/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
/* Records in the rings, and the ledger that has each of them, told or not. */
#include "counter.bpf.h"
#include "event.bpf.h"
#include "flow.bpf.h"
#include "health.bpf.h"
#include "table.bpf.h"

/* Set between open and load. */
const volatile __u32 wakeup_bytes = 1 << 18; /* waiting for each wake-up; a power of two */

static __always_inline struct ledger *this_ledger(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&ledger_map, &zero);
}

/*
 * Readers come by a timer; they are woken only when much is waiting, and again when that much
 * more is. A wake-up costs more than a hundred records, so whoever passes the mark gives it,
 * or one of the next few: other CPUs add records, too.
 */
static __always_inline __u64 wakeup(void *ring)
{
	__u64 waiting = bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA);
	__u64 behind_mark = waiting & (wakeup_bytes - 1);

	return waiting >= wakeup_bytes && behind_mark < 4 * sizeof(struct event)
	               ? BPF_RB_FORCE_WAKEUP
	               : BPF_RB_NO_WAKEUP;
}

enum outcome {
	OUTCOME_DELIVERED,
	OUTCOME_SUPPRESSED,
	OUTCOME_LOST,
};

/* Atomic: on one CPU a program of the packet path may interrupt one of the kernel hooks. */
static __always_inline void add_one(__u64 *counter)
{
	__sync_fetch_and_add(counter, 1);
}

static __always_inline void book(struct ring_ledger *ledger, enum outcome outcome)
{
	add_one(&ledger->produced);
	if (outcome == OUTCOME_DELIVERED)
		add_one(&ledger->delivered);
	else if (outcome == OUTCOME_SUPPRESSED)
		add_one(&ledger->suppressed);
	else
		add_one(&ledger->lost);
}

/* Every record that is due stands in the ledger, whatever becomes of it. */
static __always_inline void count_record(__u32 type, enum outcome outcome)
{
	struct ledger *ledger = this_ledger();

	if (ledger && type < EVENT_TYPE_COUNT)
		book(&ledger->type[type], outcome);
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
	event->enforced_rule = flow->enforced_rule;
}

/* What the hooks know of the flow, if they run and have seen it. */
static __always_inline void fill_health(struct event *event, const struct flow_key *key)
{
	const struct health *health = bpf_map_lookup_elem(&health_map, key);

	if (health)
		event->health = *health;
}

/* Who has a turn to tell. */
static __always_inline __u64 whose_turn(const struct flow_id *id)
{
	return id->hash | 1; /* 0 is nobody */
}

/*
 * A turn to tell of something that may repeat: that of whoever has this hash, else the one in his
 * bucket that he may take. turns: an array of struct turns, TURN_BUCKETS long.
 */
static __always_inline struct turn *find_turn(void *turns, __u64 whose, __u32 now_ms)
{
	__u32 number = (whose >> TAG_SHIFT) % TURN_BUCKETS;
	struct turns *bucket = bpf_map_lookup_elem(turns, &number);
	struct turn *oldest;

	if (!bucket)
		return NULL;
	oldest = &bucket->way[0];
	for (int i = 0; i < TURN_WAYS; i++) {
		struct turn *way = &bucket->way[i];

		if (way->whose == whose)
			return way;
		if (!way->whose ||
		    (oldest->whose && now_ms - way->told_ms > now_ms - oldest->told_ms))
			oldest = way;
	}
	return oldest;
}

/* Whether it has told already, so that this one is kept quiet, and remembered. */
static __always_inline int keeps_quiet(struct turn *turn, __u64 whose, __u32 now_ms,
                                       __u32 interval_ms)
{
	if (turn->whose != whose || now_ms - turn->told_ms >= interval_ms)
		return 0;
	__sync_fetch_and_add(&turn->suppressed, 1);
	return 1;
}

/* It tells now. Returns how many were kept quiet since the last time. */
static __always_inline __u32 take_turn(struct turn *turn, __u64 whose, __u32 now_ms)
{
	__u32 suppressed = turn->whose == whose ? turn->suppressed : 0;

	turn->whose = whose;
	turn->suppressed = 0;
	turn->told_ms = now_ms;
	return suppressed;
}

/* It could not tell: the next one has the turn, and counts this one with those kept quiet. */
static __always_inline void miss_turn(struct turn *turn, __u64 whose)
{
	if (turn->whose == whose)
		__sync_fetch_and_add(&turn->suppressed, 1);
}
