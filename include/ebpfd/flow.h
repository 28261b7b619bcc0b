/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
#include "ebpfd/types.h"
#include "ebpfd/verdict.h"

/*
 * A connection as one endpoint sees it, from the pod's side, so that packets of both
 * directions have the same key. The longest and most varied field stands first.
 * ICMP queries: the asking side's port is the identifier, the other one is 0, so that a ping in
 * reverse is another flow. Protocols without ports: both 0.
 */
struct flow_key {
	__u8 peer[16];
	__u32 ifindex;
	__be16 pod_port;
	__be16 peer_port;
	__u8 protocol;
	__u8 asker; /* of ICMP queries: ASKER_POD or ASKER_PEER; else 0 */
	__u8 pad[2];
};
EBPFD_ASSERT_SIZE(struct flow_key, 28);

enum {
	ASKER_POD = 1,
	ASKER_PEER = 2,
};

/* Who ended a flow: a side of TCP by the first FIN or RST, or the agent for want of one. */
enum flow_closer {
	CLOSER_NONE = 0,
	CLOSER_POD = 1,
	CLOSER_PEER = 2,
	CLOSER_POLICY = 3,  /* cut by a policy, and silent since */
	CLOSER_TIMEOUT = 4, /* idle for too long, or its endpoint is gone */
};

enum flow_state {
	FLOW_NEW = 0,         /* only one side was heard */
	FLOW_ESTABLISHED = 1, /* packets in both directions */
	FLOW_CLOSING = 2,     /* TCP: one side sent FIN */
	FLOW_CLOSED = 3,      /* TCP: both sent FIN, or one RST; kept for late packets */
};

/*
 * What is decided stands in the first eight bytes, which are read as one. All that a packet of an
 * open flow asks is in the first cache line of its entry, all that it counts in the second one.
 * Times are CLOCK_MONOTONIC nanoseconds; arrays of two are indexed by enum direction.
 */
struct flow {
	__u32 generation; /* under which it was judged */
	__u8 verdict;     /* a policy change can turn an open flow's to VERDICT_DENY */
	__u8 reason;
	__u8 direction; /* in which it was opened */
	__u8 state;
	__u8 tcp_flags[DIRECTION_COUNT]; /* all that were seen */
	__u8 believed;  /* a peer with the node's, or the pod's own, address is what it says */
	__u8 closer;    /* CLOSER_POD or CLOSER_PEER once a side has ended it */
	__u32 endpoint; /* index of its endpoint */
	__u8 pod[16];   /* the pod's address, IPv4 mapped */

	__u64 packets[DIRECTION_COUNT];
	__u64 bytes[DIRECTION_COUNT]; /* of the frames, Ethernet header included */
	__u64 seen_ns;
	__u64 opened_ns;
	__u64 reported_ns;
	__u32 rule;          /* that decided, or would, or 0 */
	__u32 enforced_rule; /* that decided where rule only would, by a dry-run policy; or 0 */
};
EBPFD_ASSERT_SIZE(struct flow, 96);

enum tcp_flag {
	TCP_FIN = 0x01,
	TCP_SYN = 0x02,
	TCP_RST = 0x04,
	TCP_ACK = 0x10,
};

/* TCP whose opener has not confirmed an answer: it may have been sent from somebody else's address. */
static inline int is_half_open(const struct flow *flow)
{
	return (flow->tcp_flags[flow->direction & 1] & (TCP_SYN | TCP_ACK)) == TCP_SYN;
}

/* Whether both sides have not been heard yet, and policy has not cut it. */
static inline int is_pending(const struct flow *flow)
{
	return (flow->state == FLOW_NEW || (flow->state < FLOW_CLOSED && is_half_open(flow))) &&
	       !is_refused(flow->verdict);
}

/* An entry of the flow table; two cache lines. */
struct flow_entry {
	struct flow_key key;
	__u32 pad; /* 0: the key is compared in whole words */
	struct flow flow;
};
EBPFD_ASSERT_SIZE(struct flow_entry, 128);

/*
 * The table is made of buckets of FLOW_WAYS entries. A flow is in one of the two buckets that its
 * hash names, and there under a tag: the upper bits of its hash, and what may become of the entry.
 * A newcomer takes a free entry, else one of the lowest class in both buckets, below his own.
 */
#define FLOW_WAYS 8
#define FLOW_LASTING_WAYS 7 /* one way is left to newcomers */
#define FLOW_CLASS_MASK 7U

enum flow_class {
	FLOW_ENTRY_FREE = 0,
	FLOW_ENTRY_REFUSED = 1, /* no flow: a refusal, kept so that it need not be judged again */
	FLOW_ENTRY_CLOSED = 2,
	FLOW_ENTRY_PENDING = 3, /* see is_pending(), or more than may last in its bucket */
	FLOW_ENTRY_LASTING = 4, /* open, or cut by policy; or being worked on */
	FLOW_ENTRY_BUSY = 7,    /* being written, for the flow with this tag */
};

struct flow_tags {
	__u32 tag[FLOW_WAYS];
};

/* How flows are hashed: by numbers that no pod can guess, which stay while the table lives. */
struct flow_hashing {
	__u64 seed[6];
	__u32 buckets; /* a power of two */
	__u32 pad;
};
EBPFD_ASSERT_SIZE(struct flow_hashing, 56);
