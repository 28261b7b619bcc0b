/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
#include "ebpfd/types.h"

/* Seen from the pod: ingress is traffic to it, egress traffic from it. Used as an index. */
enum direction {
	DIRECTION_INGRESS = 0,
	DIRECTION_EGRESS = 1,
	DIRECTION_COUNT = 2,
};

enum verdict {
	VERDICT_ALLOW = 0,
	VERDICT_DENY = 1,
	VERDICT_WOULD_DENY = 2,  /* let through; denied but for audit mode, or dry-run policies */
	VERDICT_WOULD_ALLOW = 3, /* dropped; dry-run policies would allow it */
	VERDICT_COUNT = 4,
};

/* Whether packets with this verdict are dropped. */
static inline int is_refused(__u32 verdict)
{
	return verdict & 1;
}

/*
 * Why a packet was allowed or denied. Stable numbers: they stand in maps and records.
 * Everything below REASON_FIRST_DENIAL allows, everything from there on denies.
 */
enum reason {
	REASON_NO_POLICY = 0,  /* no policy isolates the pod in this direction */
	REASON_RULE = 1,       /* a rule allows the connection */
	REASON_NODE = 2,       /* the pod's own node reaches it */
	REASON_SELF = 3,       /* the pod reaches itself */
	REASON_NEIGHBOR = 4,   /* ARP, neighbour discovery, multicast listener discovery */
	REASON_ICMP_ERROR = 5, /* an ICMP error about a connection that is allowed */

	REASON_FIRST_DENIAL = 8,
	REASON_DENIED = 8,         /* a rule denies, or isolates */
	REASON_UNKNOWN_POD = 9,    /* a pod interface whose pod is not known yet */
	REASON_FRAGMENT = 10,      /* a later fragment whose first one was not seen */
	REASON_MALFORMED = 11,     /* headers that cannot be parsed */
	REASON_NOT_IP = 12,        /* neither IP nor ARP */
	REASON_SOURCE_ROUTED = 13, /* the destination is a mere stage on the packet's way */
	REASON_SPOOFED = 14,       /* the pod sends from an address that belongs to somebody else */

	REASON_COUNT = 16,
};
