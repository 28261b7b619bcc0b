/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
/* Flows: found by one lookup, judged again when stale, moved on by the packets they see. */
#include "clock.bpf.h"
#include "report.bpf.h"

/* One packet on its way through, and what is known of it so far. */
struct passage {
	struct packet packet;
	struct flow_key key;
	struct flow_id id; /* made of it */
	__u64 now;
	__u32 generation;
	__u32 bytes;
	__u32 direction;
	__u32 pad;
	struct question question; /* that it raises, */
	struct decision decision; /* and its answer */
};

/* The packet that goes the long way on this CPU: too large for the stack. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct passage);
} passage_map SEC(".maps");

static __always_inline void make_key(struct passage *at, const struct tuple *t, __u32 ifindex)
{
	__u32 direction = at->direction;
	struct flow_key *key = &at->key;

	__builtin_memset(key, 0, sizeof(*key));
	key->ifindex = ifindex;
	key->protocol = t->protocol;
	if (t->query)
		key->asker = (t->query == QUERY_ASKED) == (direction == DIRECTION_EGRESS)
		                     ? ASKER_POD
		                     : ASKER_PEER;
	if (direction == DIRECTION_INGRESS) {
		__builtin_memcpy(key->peer, t->source, sizeof(key->peer));
		key->peer_port = t->source_port;
		key->pod_port = t->destination_port;
	} else {
		__builtin_memcpy(key->peer, t->destination, sizeof(key->peer));
		key->peer_port = t->destination_port;
		key->pod_port = t->source_port;
	}
	make_id(&at->id, key);
}

/* The question a connection raises that is open already, in the direction of its opening. */
static __always_inline void ask_again(struct question *q, const struct flow_key *key,
                                      const struct flow *flow, const struct endpoint *endpoint,
                                      __u32 generation)
{
	__u32 direction = flow->direction & 1;

	__builtin_memset(q, 0, sizeof(*q));
	__builtin_memcpy(q->pod, flow->pod, sizeof(q->pod));
	__builtin_memcpy(q->peer, key->peer, sizeof(q->peer));
	q->ruleset = endpoint->slot[generation & 1].ruleset[direction];
	q->generation = generation;
	q->port = direction == DIRECTION_INGRESS ? key->pod_port : key->peer_port;
	q->protocol = key->protocol;
	q->direction = direction;
	q->believed = flow->believed;
}

static __always_inline struct flow *get_draft(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&draft_map, &zero);
}

static __always_inline void take_decision(struct flow *flow, const struct decision *d,
                                          __u32 generation)
{
	flow->verdict = is_refused(d->verdict) && state.audit ? VERDICT_WOULD_DENY : d->verdict;
	flow->reason = d->reason;
	flow->rule = d->rule;
	flow->enforced_rule = d->enforced_rule;
	/* Last: another CPU that sees the generation must see the verdict too. */
	__sync_lock_test_and_set(&flow->generation, generation);
}

/* Whether the pod may send from that address, then what its rules say. */
static __always_inline void judge(const struct endpoint *endpoint, const struct question *q,
                                  struct decision *d)
{
	__builtin_memset(d, 0, sizeof(*d));
	if (q->direction == DIRECTION_EGRESS && is_spoofed(endpoint, q)) {
		decide(d, REASON_SPOOFED);
		return;
	}
	classify(q, d);
}

/*
 * A flow judged under an older generation. One that is forbidden now stays, with its verdict:
 * were it forgotten, the other side's next packet could open it again in reverse.
 */
static __noinline int judge_again(struct passage *at, struct flow *flow)
{
	struct endpoint *endpoint = bpf_map_lookup_elem(&endpoint_map, &at->key.ifindex);
	struct question *q = &at->question;
	struct decision *d = &at->decision;

	if (!endpoint)
		return 0;
	ask_again(q, &at->key, flow, endpoint, at->generation);
	judge(endpoint, q, d);
	take_decision(flow, d, at->generation);
	return 0;
}

/* Counts a change of its verdict, and tells of it, once for a flow. */
static __noinline int tell_change(const struct passage *at, struct flow *flow)
{
	if (flow->verdict != VERDICT_ALLOW)
		count_hits(&at->decision, at->now);
	/* Once for a policy: what follows passes in silence. */
	if (flow->verdict == VERDICT_WOULD_DENY)
		report_refusal(&at->key, flow, whose_turn(&at->id), at->direction, at->now);
	return 0;
}

static __always_inline __u8 next_tcp_state(const struct flow *flow, __u32 direction, __u8 flags)
{
	__u8 other = flow->tcp_flags[!direction];

	if (flags & TCP_RST)
		return FLOW_CLOSED;
	if (flow->tcp_flags[direction] & other & TCP_FIN)
		return FLOW_CLOSED;
	if ((flow->tcp_flags[direction] | other) & TCP_FIN)
		return FLOW_CLOSING;
	/* A reset that the other side did not believe: the connection goes on. */
	return flow->state == FLOW_NEW ? FLOW_NEW : FLOW_ESTABLISHED;
}

/* The state after this packet. */
static __always_inline __u8 next_state(struct flow *flow, const struct passage *at)
{
	__u32 direction = at->direction & 1;
	__u8 flags = at->packet.tcp_flags;

	if (flags & ~flow->tcp_flags[direction])
		flow->tcp_flags[direction] |= flags;
	if (flow->state == FLOW_NEW && flow->packets[!direction] && !(flags & TCP_RST))
		return FLOW_ESTABLISHED;
	return at->key.protocol == IPPROTO_TCP ? next_tcp_state(flow, direction, flags)
	                                       : flow->state;
}

/* Who ended the flow, as of a packet that changes its state. */
static __always_inline __u8 next_closer(const struct flow *flow, __u32 direction, __u8 after)
{
	if (after < FLOW_CLOSING)
		return CLOSER_NONE;
	if (flow->closer)
		return flow->closer;
	return direction == DIRECTION_EGRESS ? CLOSER_POD : CLOSER_PEER;
}

static __always_inline void count_in_flow(struct flow *flow, __u32 direction, __u32 bytes,
                                          __u64 now)
{
	__sync_fetch_and_add(&flow->packets[direction], 1);
	__sync_fetch_and_add(&flow->bytes[direction], bytes);
	flow->seen_ns = now;
}

/* Counts a packet of a flow and tells of it when its state changed or it is time. */
static __always_inline void account(struct flow *flow, const struct passage *at)
{
	__u32 direction = at->direction & 1;
	__u8 after;

	count_in_flow(flow, direction, at->bytes, at->now);
	after = next_state(flow, at);
	if (after != flow->state) {
		flow->closer = next_closer(flow, direction, after);
		flow->state = after;
		report_flow(&at->key, flow,
		            after == FLOW_CLOSED ? EVENT_FLOW_CLOSE : EVENT_FLOW_UPDATE, 1);
	} else if (state.watch.signs && at->now - flow->reported_ns > report_interval_ns) {
		report_flow(&at->key, flow, EVENT_FLOW_UPDATE, 0);
	}
}

/*
 * Writes a flow, or a refusal, into the table: over an earlier one with the same key, if there is
 * one, else into an entry of its own.
 */
static __noinline int enter(const struct passage *at, struct found *f, const struct flow *flow,
                            __u32 class)
{
	struct ledger *ledger = this_ledger();
	int had = FLOW_ENTRY_FREE;

	if (!f->entry)
		had = claim_entry(&at->id, f, class);
	else if (!change_class(f, FLOW_ENTRY_BUSY))
		return 0;
	if (had >= 0 && f->entry)
		publish_entry(f, &at->id, flow, class);
	if (ledger && class == FLOW_ENTRY_PENDING) {
		ledger->flows_full += had == -ENOSPC;
		ledger->flows_evicted += had == FLOW_ENTRY_PENDING;
	}
	return 0;
}
