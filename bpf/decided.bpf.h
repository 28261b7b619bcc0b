/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
/*
 * What was decided by rules, for connections that raise the same question: the same rule set,
 * identity, port and protocol, and where the rule set has CIDR blocks, the same peer. Rule sets
 * and rows of an identity never change, and their numbers are never used again, so nothing here
 * ever becomes wrong. A bucket is overwritten by whoever comes next.
 */
#include "question.bpf.h"

struct decided_key {
	__u32 ruleset;
	__u32 identity;
	__be16 port;
	__u8 protocol;
	__u8 by_cidr; /* the peer belongs to the key */
};

struct decided_rules {
	struct decided_key key; /* all zero: nothing */
	__u8 peer[16];
	struct decision decision;
};

#define DECIDED_COUNT 256 /* a power of two */

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, DECIDED_COUNT);
	__type(key, __u32);
	__type(value, struct decided_rules);
} decided_map SEC(".maps");

static __always_inline struct decided_rules *find_decided(const struct question *q, __u32 identity)
{
	__u32 mixed = (q->ruleset * 31 + identity) * 31 + q->port * 31 + q->protocol;
	__u32 number = mixed * 0x9e3779b1U >> 24 & (DECIDED_COUNT - 1);

	return bpf_map_lookup_elem(&decided_map, &number);
}

/* Whether the question is the one that was decided. */
static __always_inline int is_decided(const struct decided_rules *known, const struct question *q,
                                      __u32 identity)
{
	const struct decided_key *key = &known->key;

	return key->ruleset == q->ruleset && key->identity == identity && key->port == q->port &&
	       key->protocol == q->protocol && (!key->by_cidr || same_address(known->peer, q->peer));
}

static __always_inline void keep_decided(struct decided_rules *known, const struct question *q,
                                         __u32 identity, int by_cidr, const struct decision *d)
{
	known->key.ruleset = q->ruleset;
	known->key.identity = identity;
	known->key.port = q->port;
	known->key.protocol = q->protocol;
	known->key.by_cidr = by_cidr;
	__builtin_memcpy(known->peer, q->peer, sizeof(known->peer));
	known->decision = *d;
}
