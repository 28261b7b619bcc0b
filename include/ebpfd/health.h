/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
#include "ebpfd/types.h"

/*
 * What the kernel hooks know of a flow, beside what its packets tell. Counts are absolute;
 * 0 in srtt_us, connect_us and tcp_state: never seen.
 */
struct health {
	__u32 srtt_us;    /* the kernel's smoothed round-trip time */
	__u32 connect_us; /* from the pod's SYN to its connection */
	__u32 retransmissions;
	__u32 resets_sent; /* by the pod */
	__u32 resets_received;
	__u32 drops;       /* of its packets, by the kernel */
	__u32 drop_reason; /* of the last one: the running kernel's enum skb_drop_reason */
	__u8 tcp_state;    /* of the pod's socket: TCP_ESTABLISHED … as in the kernel */
	__u8 pad[3];
};
EBPFD_ASSERT_SIZE(struct health, 32);

/* Bucket n: from 2^n up to 2^(n+1) microseconds; the first from 0 on, the last without end. */
#define HISTOGRAM_BUCKETS 24

struct histogram {
	__u64 sum_us;
	__u64 bucket[HISTOGRAM_BUCKETS];
};

/* Value of pod_health_map, per CPU; row: the endpoint's index. */
struct pod_health {
	struct histogram srtt;    /* every seventh segment: busy connections weigh more */
	struct histogram connect; /* an entry for each connection opened that was measured */
	__u64 retransmissions;
	__u64 resets_sent;
	__u64 resets_received;
	__u64 connects_refused;   /* by a reset */
	__u64 connects_timed_out; /* no answer to the last SYN */
	__u64 connects_failed;    /* for any other reason: unreachable … */
	__u64 accepts;            /* connections that others opened to the pod */
	__u64 accept_overflows;   /* connections refused room in a full accept queue */
	__u64 kernel_drops;
	__u64 connects_unmeasured; /* opened, but when the pod sent its SYN is not known (any more) */
};
EBPFD_ASSERT_SIZE(struct pod_health, 2 * 200 + 80);

/* Key of kdrop_map. Value, per CPU: struct counter. */
struct kernel_drop_key {
	__u32 endpoint; /* index */
	__u32 reason;   /* the running kernel's enum skb_drop_reason */
};
EBPFD_ASSERT_SIZE(struct kernel_drop_key, 8);

/* Whose a network namespace is; key of netns_map: its cookie (__u64). */
struct netns_owner {
	__u32 ifindex;  /* of the pod's interface on the host side; 0: it is the node's own */
	__u32 endpoint; /* index */
};
EBPFD_ASSERT_SIZE(struct netns_owner, 8);
