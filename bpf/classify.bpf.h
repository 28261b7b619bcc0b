/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
/*
 * The slow path: which rule decides over a new connection. The number of lookups does not
 * depend on the number of rules: address, rule set, then peer, CIDR and port bitmaps.
 */
#include "decided.bpf.h"
#include "endpoint.bpf.h"
#include "identity.bpf.h"
#include "ruleset.bpf.h"
#include "verdict.bpf.h"

static const struct bitmap no_rules;

static __always_inline void decide(struct decision *d, __u8 reason)
{
	d->reason = reason;
	d->verdict = reason >= REASON_FIRST_DENIAL ? VERDICT_DENY : VERDICT_ALLOW;
}

/*
 * The number of the lowest bit set: its product with a de Bruijn sequence has another six highest
 * bits for each position. No branch, no call: paths to verify and stack are scarce (and clang 14
 * crashes on the builtin for BPF).
 */
#define DE_BRUIJN 0x03f79d71b4cb0a89ULL

static const __u8 bit_of_product[64] = {
	0,  1,  48, 2,  57, 49, 28, 3,  61, 58, 50, 42, 38, 29, 17, 4,  62, 55, 59, 36, 53, 51,
	43, 22, 45, 39, 33, 30, 24, 18, 12, 5,  63, 47, 56, 27, 60, 41, 37, 16, 54, 35, 52, 21,
	44, 32, 23, 11, 46, 26, 40, 15, 34, 20, 31, 10, 25, 14, 19, 9,  13, 8,  7,  6,
};

static __always_inline __u32 lowest_bit(__u64 word)
{
	return bit_of_product[((word & -word) * DE_BRUIJN) >> 58];
}

/* Each step of a walk leaves a word of the bitmap behind, or a tier. */
#define WALK_STEPS (BITMAP_WORDS + TIER_COUNT)
#define WATCHER_SHIFT 16
#define DECIDER_MASK ((1U << WATCHER_SHIFT) - 1)

/*
 * Which of the rules that match decides: the first, but that one which passes is none, and has the
 * rest of its tier left out. Returns its place in the set, and above WATCHER_SHIFT that of the first
 * one met of a dry-run policy; RULES_MAX stands for none. A global function: verified once.
 */
__noinline int walk_rules(const struct ruleset *set, const struct bitmap *match)
{
	__u32 next = 0, watcher = RULES_MAX;

	if (!set || !match) /* never: the verifier asks */
		return 0;
#pragma clang loop unroll(disable)
	for (int step = 0; step < WALK_STEPS && next < set->count; step++) {
		__u32 i = MASKED(next / 64, BITMAP_WORDS - 1), place;
		__u64 word = match->word[i] & (~0ULL << (next & 63));
		const struct ruleset_rule *rule;

		if (!word) {
			next = (next | 63) + 1;
			continue;
		}
		place = MASKED(i * 64 + lowest_bit(word), RULES_MAX - 1);
		rule = &set->rule[place];
		if (watcher == RULES_MAX && set->watching.word[i] >> (place & 63) & 1)
			watcher = place;
		if (rule->action != ACTION_PASS)
			return place | watcher << WATCHER_SHIFT;
		next = rule->tier < TIER_COUNT ? set->tier_end[rule->tier] : RULES_MAX;
	}
	return RULES_MAX | watcher << WATCHER_SHIFT;
}

/* The reason that the rule at this place gives; none is at RULES_MAX. */
static __always_inline __u8 reason_at(const struct ruleset *set, __u32 place)
{
	if (place >= RULES_MAX)
		return REASON_NO_POLICY;
	return set->rule[MASKED(place, RULES_MAX - 1)].action == ACTION_ALLOW ? REASON_RULE
	                                                                      : REASON_DENIED;
}

static __always_inline __u32 rule_at(const struct ruleset *set, __u32 place)
{
	return place < RULES_MAX ? set->rule[MASKED(place, RULES_MAX - 1)].rule : 0;
}

/*
 * Where the rehearsal ends otherwise, its first dry-run rule is what turned it: up to there both
 * walks are one.
 */
static __always_inline void decide_by_rules(struct decision *d, const struct ruleset *set,
                                            const struct matches *matches)
{
	__u32 decider = walk_rules(set, &matches->enforced) & DECIDER_MASK, all, watcher;
	__u8 reason;

	d->rule = rule_at(set, decider);
	decide(d, reason_at(set, decider));
	if (!matches->watching)
		return;
	all = walk_rules(set, &matches->all);
	watcher = rule_at(set, all >> WATCHER_SHIFT);
	reason = reason_at(set, all & DECIDER_MASK);
	if (!watcher ||
	    (reason >= REASON_FIRST_DENIAL) == (d->reason >= REASON_FIRST_DENIAL))
		return;
	d->enforced_rule = d->rule;
	d->rule = watcher;
	d->reason = reason;
	d->verdict = d->verdict == VERDICT_DENY ? VERDICT_WOULD_ALLOW : VERDICT_WOULD_DENY;
}

/* An address's number in force under this generation. */
static __always_inline __u32 find_identity(const __u8 address[16], __u32 generation)
{
	struct identity_slots *slots;
	__u8 key[16]; /* kernel 6.1 takes no key from a global function's argument */

	__builtin_memcpy(key, address, sizeof(key));
	slots = bpf_map_lookup_elem(&address_map, key);
	return slots ? slots->number[generation & 1] : IDENTITY_WORLD;
}

/* Link-local, or none yet: what a stack sends before, and beside, its real addresses. */
static __always_inline int is_link_scope(const __u8 address[16])
{
	const __be32 *word = (const __be32 *)address;

	if (is_mapped_ipv4(word))
		return !word[3] || (word[3] & bpf_htonl(0xffff0000)) == bpf_htonl(0xa9fe0000);
	return is_link_local(word) || !(word[0] | word[1] | word[2] | word[3]);
}

/*
 * Whether a pod sends from an address that is not its own. Where none of its addresses of that
 * family is known, or on the link, only what is somebody else's counts. A global function: verified
 * once.
 */
__noinline int is_spoofed(const struct endpoint *endpoint, const struct question *q)
{
	int v4, known = 0, any = 0;

	if (!endpoint || !q)
		return 1;
	v4 = is_mapped_ipv4((const __be32 *)q->pod);
	for (int i = 0; i < ENDPOINT_ADDRESSES; i++) {
		const __be32 *own = (const __be32 *)endpoint->address[i];

		if (!(own[0] | own[1] | own[2] | own[3]))
			break;
		if (same_address(endpoint->address[i], q->pod))
			return 0;
		any = 1;
		if (is_mapped_ipv4(own) == v4)
			known = 1;
	}
	if (known && !is_link_scope(q->pod))
		return 1;
	return any && find_identity(q->pod, q->generation) != IDENTITY_WORLD;
}

/* The identity of a cluster IP's port, or 0 where the service has no ready backend for it. */
static __always_inline __u32 find_service(const struct question *q)
{
	struct service_key key = {.port = q->port, .protocol = q->protocol};
	struct identity_slots *slots;

	__builtin_memcpy(key.address, q->peer, sizeof(key.address));
	slots = bpf_map_lookup_elem(&service_map, &key);
	return slots ? slots->number[q->generation & 1] : 0;
}

static __always_inline const struct bitmap *find_peer(const struct question *q, __u32 identity)
{
	struct peer_key key = {.ruleset = q->ruleset, .identity = identity};

	return bpf_map_lookup_elem(&peer_map, &key);
}

static __always_inline const struct bitmap *find_cidr(const struct question *q)
{
	struct cidr_key key = {.prefixlen = CIDR_KEY_BASE + 128, .ruleset = q->ruleset};

	__builtin_memcpy(key.address, q->peer, sizeof(key.address));
	return bpf_map_lookup_elem(&cidr_map, &key);
}

static __always_inline const struct bitmap *find_port(const struct question *q)
{
	struct port_key key = {
		.prefixlen = PORT_KEY_BASE + 16,
		.ruleset = q->ruleset,
		.protocol = q->protocol,
		.port = q->port,
	};

	return bpf_map_lookup_elem(&port_map, &key);
}

/* A service port's peer bitmap is the final set: its backends' ports are in it already. */
static __always_inline void match_service(const struct question *q, const struct decision *d,
                                          const struct ruleset *set, struct matches *matches)
{
	const struct bitmap *row = find_peer(q, d->identity);

	matches->enforced = row ? *row : no_rules;
	matches->watching = set->flags & RULESET_WATCHES;
	if (!matches->watching)
		return;
	row = find_peer(q, d->identity | IDENTITY_REHEARSED);
	matches->all = row ? *row : no_rules;
}

static __always_inline void match_rules(const struct question *q, const struct decision *d,
                                        const struct ruleset *set, struct matches *matches)
{
	const struct bitmap *pod = &no_rules, *peer = NULL, *cidr = NULL, *port = NULL;
	__u64 watching = 0;

	if (d->identity >= IDENTITY_FIRST) {
		pod = &set->any_pod;
		if (set->flags & RULESET_HAS_PEERS)
			peer = find_peer(q, d->identity);
	}
	if (set->flags & RULESET_HAS_CIDRS)
		cidr = find_cidr(q);
	if (set->flags & RULESET_HAS_PORTS && has_ports(q->protocol))
		port = find_port(q);
	if (!peer)
		peer = &no_rules;
	if (!cidr)
		cidr = &no_rules;
	if (!port)
		port = &no_rules;
	for (__u32 i = 0; i < BITMAP_WORDS && i * 64 < set->count; i++) {
		__u64 match =
			(set->any_peer.word[i] | pod->word[i] | peer->word[i] | cidr->word[i]) &
			(set->any_port.word[i] | port->word[i]);

		matches->all.word[i] = match;
		matches->enforced.word[i] = match & ~set->watching.word[i];
		watching |= match & set->watching.word[i];
	}
	matches->watching = watching;
}

/* By the rules of the set. Returns its flags. */
static __always_inline __u32 classify_by(const struct question *q, struct decision *d,
                                         const struct ruleset *set)
{
	struct matches *matches;
	__u32 entry = q->traced ? MATCH_TRACE : MATCH_PACKET, service = 0;

	matches = bpf_map_lookup_elem(&match_map, &entry);
	if (!set || !matches) { /* never: a set is written before it is referred to */
		decide(d, REASON_DENIED);
		return RULESET_HAS_CIDRS;
	}
	if (d->identity == IDENTITY_SERVICE && q->direction == DIRECTION_EGRESS)
		service = find_service(q);
	if (service) {
		d->identity = service;
		match_service(q, d, set, matches);
	} else {
		match_rules(q, d, set, matches);
	}
	decide_by_rules(d, set, matches);
	return set->flags;
}

/*
 * By what was decided before, where that is known. Not for services, whose address is no identity;
 * nor for a test run, which a packet may interrupt.
 */
static __always_inline void classify_again(const struct question *q, struct decision *d)
{
	struct decided_rules *known = NULL;
	__u32 number = q->ruleset, identity = d->identity, flags;

	if (!q->traced && identity != IDENTITY_SERVICE)
		known = find_decided(q, identity);
	if (known && is_decided(known, q, identity)) {
		*d = known->decision;
		return;
	}
	flags = classify_by(q, d, bpf_map_lookup_elem(&ruleset_map, &number));
	if (known)
		keep_decided(known, q, identity, !!(flags & RULESET_HAS_CIDRS), d);
}

/*
 * Judges a connection of an endpoint. No rule that matches: nothing isolates, so it passes. A
 * global function: verified once.
 */
__noinline int classify(const struct question *q, struct decision *d)
{
	if (!q || !d)
		return 0;
	d->rule = 0;
	d->enforced_rule = 0;
	d->identity = IDENTITY_WORLD;
	decide(d, REASON_NO_POLICY);
	if (q->ruleset == RULESET_NONE)
		return 0;
	if (q->ruleset == RULESET_CLOSED) {
		decide(d, REASON_UNKNOWN_POD);
		return 0;
	}
	if (q->believed && same_address(q->pod, q->peer)) {
		decide(d, REASON_SELF);
		return 0;
	}
	d->identity = find_identity(q->peer, q->generation);
	if (d->identity == IDENTITY_NODE && q->direction == DIRECTION_INGRESS && q->believed) {
		decide(d, REASON_NODE);
		return 0;
	}
	classify_again(q, d);
	return 0;
}
