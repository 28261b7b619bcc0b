/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
#include "ebpfd/types.h"
#include "ebpfd/verdict.h"

/* Rule set numbers with a meaning of their own; compiled rule sets start at RULESET_FIRST. */
enum {
	RULESET_NONE = 0,   /* not isolated: everything passes */
	RULESET_CLOSED = 1, /* nothing passes but ARP and neighbour discovery */
	RULESET_FIRST = 16,
};

#define ENDPOINT_ADDRESSES 4

/* The rule sets of both directions, under one parity of the generation. */
struct endpoint_slot {
	__u32 ruleset[DIRECTION_COUNT];
};

/*
 * A local pod's interface; key: its ifindex (__u32) on the host side.
 * slot[generation & 1] is in force, the other one is the agent's to fill.
 */
struct endpoint {
	struct endpoint_slot slot[2];
	__u32 index; /* dense: 0 to max_endpoints - 1; row of counter_map */
	__u32 pad;
	__u8 address[ENDPOINT_ADDRESSES][16]; /* as in endpoint_name: what the pod may send from */
};
EBPFD_ASSERT_SIZE(struct endpoint, 88);

/* Who an endpoint is, for readers without the agent; key: ifindex. Strings end in NUL. */
struct endpoint_name {
	char pod_namespace[64];
	char pod[256];
	char interface[16];
	__u8 address[ENDPOINT_ADDRESSES]
		    [16]; /* the pod's addresses, IPv4 mapped; all zero where unused */
	__u32 index;
	__u32 pad;
};
EBPFD_ASSERT_SIZE(struct endpoint_name, 408);
