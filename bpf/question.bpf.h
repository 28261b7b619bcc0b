/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
/* What is asked of policy, and what it answers. */
#include "packet.bpf.h"

/* A connection to be judged, in the direction in which it is or was opened. */
struct question {
	__u8 pod[16];
	__u8 peer[16];
	__u32 ruleset;
	__u32 generation;
	__be16 port; /* of the destination */
	__u8 protocol;
	__u8 direction;
	__u8 believed; /* the peer's address may be the node's, or the pod's own */
	__u8 traced;   /* by a test run, which packets may interrupt */
	__u8 pad[2];
};

struct decision {
	__u32 rule;
	__u32 enforced_rule; /* as in struct flow */
	__u32 identity;
	__u8 verdict;
	__u8 reason;
	__u8 pad[2];
};
