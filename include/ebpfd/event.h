/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
#include "ebpfd/flow.h"
#include "ebpfd/health.h"
#include "ebpfd/types.h"

enum event_type {
	EVENT_FLOW_OPEN = 1,
	EVENT_FLOW_UPDATE = 2, /* a change of state or verdict, or a sign of life */
	EVENT_FLOW_CLOSE = 3,
	EVENT_DROP = 4, /* refused by policy */
	/* From the kernel hooks; direction as of the flow if that is known, else of the packet. */
	EVENT_TCP_RETRANSMIT = 5,
	EVENT_TCP_RESET_SENT = 6, /* by the pod */
	EVENT_TCP_RESET_RECEIVED = 7,
	EVENT_KERNEL_DROP = 8, /* by the kernel, for health.drop_reason */
	EVENT_TYPE_COUNT = 9,
};

/* Two rings: refusals in one, all else in the other. Index of struct ring_ledger. */
enum ring {
	RING_REFUSALS = 0,
	RING_FLOWS = 1,
	RING_COUNT = 2,
};

/* One record of a ring. Counters are absolute: a lost record costs freshness only. */
struct event {
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u64 packets[DIRECTION_COUNT];
	__u64 bytes[DIRECTION_COUNT];
	__u64 opened_ns; /* 0: the flow is not known */
	__u64 seen_ns;   /* of the flow's last packet */
	struct flow_key key;
	__u8 pod[16];
	__u32 rule;
	__u32 generation;
	__u32 endpoint;       /* index of its endpoint */
	__u32 suppressed;     /* of this kind and flow since its last record; flow_*: always 0 */
	struct health health; /* all zero where the hooks know nothing */
	__u8 type;
	__u8 verdict;
	__u8 reason;
	__u8 direction; /* of the flow; of the packet, for a refusal */
	__u8 state;
	__u8 tcp_flags[DIRECTION_COUNT];
	__u8 closer;         /* enum flow_closer */
	__u32 enforced_rule; /* as in struct flow */
};
EBPFD_ASSERT_SIZE(struct event, 160);
