/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
#include "ebpfd/event.h"
#include "ebpfd/types.h"
#include "ebpfd/verdict.h"

/* Per-CPU and exact; a reader adds the CPUs up. */
struct counter {
	__u64 packets;
	__u64 bytes;
};

#define COUNTERS_PER_ENDPOINT ((int)DIRECTION_COUNT * (int)REASON_COUNT * 2) /* a power of two */

/*
 * Value of counter_map, per CPU; key: the endpoint's index. Rows by direction, reason, and whether
 * that is only what would be: VERDICT_WOULD_DENY for reasons that deny, VERDICT_WOULD_ALLOW for
 * others.
 */
struct endpoint_counters {
	struct counter row[COUNTERS_PER_ENDPOINT];
};
EBPFD_ASSERT_SIZE(struct endpoint_counters, 1024);

static inline __u32 counter_row(__u32 direction, __u32 reason, __u32 would)
{
	return (direction * REASON_COUNT + reason) * 2 + would;
}

/*
 * Value of rule_hit_map, per CPU; key: the rule's number. Packets of open flows excluded, but for
 * the first one that a change cuts. A rule of a dry-run policy counts where it would turn a
 * verdict.
 */
struct rule_hits {
	__u64 allowed; /* connections opened */
	__u64 denied;  /* packets refused */
	__u64 last_ns; /* CLOCK_MONOTONIC; 0: never */
};

/* Of one type of records: produced = delivered + suppressed + lost, at all times, on each CPU. */
struct ring_ledger {
	__u64 produced;
	__u64 delivered;
	__u64 suppressed;
	__u64 lost;
};

/* The one value of ledger_map, per CPU. */
struct ledger {
	struct ring_ledger type[EVENT_TYPE_COUNT]; /* by enum event_type */
	__u64 flows_full;     /* no room in the flow table: the packet passed untracked */
	__u64 flows_evicted;  /* flows without an answer that made room for others */
	__u64 fragments_full; /* no room in fragment_map */
	__u64 health_full;    /* no room in health_map: the flow goes without */
	__u64 drops_full;     /* no room in kdrop_map: counted in pod_health alone */
};
EBPFD_ASSERT_SIZE(struct ledger, 328);

/* All records of an enum ring together. */
static inline struct ring_ledger ring_sum(const struct ledger *ledger, __u32 ring)
{
	struct ring_ledger sum = {};

	for (__u32 type = 0; type < EVENT_TYPE_COUNT; type++) {
		if ((type == EVENT_DROP ? RING_REFUSALS : RING_FLOWS) != ring)
			continue;
		sum.produced += ledger->type[type].produced;
		sum.delivered += ledger->type[type].delivered;
		sum.suppressed += ledger->type[type].suppressed;
		sum.lost += ledger->type[type].lost;
	}
	return sum;
}
