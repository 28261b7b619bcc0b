/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * packet: parse -> find endpoint -> track flow -> (new or stale:) classify -> verdict -> report
 *
 * Attached to the host side of each pod's veth: from_pod at tc ingress, to_pod at tc egress.
 */
#include "express.bpf.h"
#include "fragment.bpf.h"
#include "generation.bpf.h"
#include "handover.bpf.h"
#include "quote.bpf.h"

#include "ebpfd/trace.h"

#include <linux/pkt_cls.h>

/* Allowed: the next program decides (TCX_NEXT and TC_ACT_UNSPEC are the same number). */
#define PASS TC_ACT_UNSPEC
#define DROP TC_ACT_SHOT

#define CUT_SILENCE_NS 30000000000LL /* of a cut flow's opener, before its peer is judged anew */

/*
 * Whether an arriving packet with the node's or the pod's own address as its source can be what
 * it says: made here, come back to the pod that sent it, or from an interface that is no pod's.
 */
static __always_inline int is_believable(const struct __sk_buff *skb)
{
	__u32 from = skb->ingress_ifindex;

	return !from || from == skb->ifindex || !bpf_map_lookup_elem(&endpoint_map, &from);
}

/* The question a packet raises that belongs to no flow: a new connection in its direction. */
static __always_inline void ask(struct question *q, const struct tuple *t, __u32 direction,
                                const struct endpoint *endpoint, __u32 generation)
{
	__builtin_memset(q, 0, sizeof(*q));
	if (direction == DIRECTION_INGRESS) {
		__builtin_memcpy(q->pod, t->destination, sizeof(q->pod));
		__builtin_memcpy(q->peer, t->source, sizeof(q->peer));
	} else {
		__builtin_memcpy(q->pod, t->source, sizeof(q->pod));
		__builtin_memcpy(q->peer, t->destination, sizeof(q->peer));
	}
	q->ruleset = endpoint->slot[generation & 1].ruleset[direction & 1];
	q->generation = generation;
	q->port = t->destination_port;
	q->protocol = t->protocol;
	q->direction = direction;
}

/* A flow as its first packet makes it. */
static __always_inline void make_flow(struct flow *flow, const struct passage *at,
                                      const struct endpoint *endpoint, const struct question *q,
                                      const struct decision *d)
{
	__u32 direction = at->direction & 1;

	__builtin_memset(flow, 0, sizeof(*flow));
	flow->packets[direction] = 1;
	flow->bytes[direction] = at->bytes;
	flow->tcp_flags[direction] = at->packet.tcp_flags;
	flow->opened_ns = at->now;
	flow->seen_ns = at->now;
	flow->endpoint = endpoint->index;
	flow->direction = q->direction;
	flow->believed = q->believed;
	flow->state = FLOW_NEW;
	__builtin_memcpy(flow->pod, q->pod, sizeof(flow->pod));
	take_decision(flow, d, at->generation);
}

static __noinline int count(const struct passage *at, const struct flow *flow)
{
	count_packet(flow->endpoint, at->direction, flow->reason,
	             flow->verdict >= VERDICT_WOULD_DENY, at->bytes);
	return 0;
}

/* Counts and tells of a packet that is refused, or would be. Returns what becomes of it. */
static __noinline int refuse(const struct passage *at, const struct flow *flow)
{
	count(at, flow);
	report_refusal(&at->key, flow, whose_turn(&at->id), at->direction, at->now);
	return is_refused(flow->verdict) ? DROP : PASS;
}

static __always_inline int is_live(const struct found *known)
{
	const struct flow *flow = &known->entry->flow;

	return known->entry &&
	       (flow->state == FLOW_ESTABLISHED || flow->state == FLOW_CLOSING) &&
	       !is_refused(flow->verdict);
}

/* A live flow that is opened again in reverse keeps its own direction. */
static __always_inline int keeps_direction(const struct found *known, __u32 direction)
{
	return is_live(known) && known->entry->flow.direction != direction;
}

/*
 * Whether a refusal may be told again to the next packet of its flow without a judge. An answer of
 * TCP is judged for its SYN's direction, and who is not believed may say what others are asked.
 */
static __always_inline int may_be_kept(const struct passage *at, const struct found *known)
{
	return at->question.direction == at->direction && at->question.believed && !at->packet.answer &&
	       (!known->entry || class_of(known->seen) == FLOW_ENTRY_REFUSED);
}

/* A packet without a flow, or with one of another life. Returns what becomes of it. */
static __noinline int judge_new(struct __sk_buff *skb, struct passage *at, struct found *known)
{
	__u32 ifindex = skb->ifindex, direction = at->direction & 1;
	struct endpoint *endpoint = bpf_map_lookup_elem(&endpoint_map, &ifindex);
	const struct packet *p = &at->packet;
	struct question *q = &at->question;
	struct decision *d = &at->decision;
	struct flow *flow;

	if (!endpoint)
		return PASS;
	ask(q, &p->tuple, direction, endpoint, at->generation);
	q->believed = direction == DIRECTION_EGRESS || is_believable(skb);
	/* An answer to a SYN that was forgotten, or allowed under another policy. */
	if (direction == DIRECTION_INGRESS &&
	    (p->tcp_flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK)) {
		q->direction = DIRECTION_EGRESS;
		q->ruleset = endpoint->slot[at->generation & 1].ruleset[DIRECTION_EGRESS];
		q->port = p->tuple.source_port;
		q->believed = 0;
	}
	judge(endpoint, q, d);
	flow = get_draft();
	if (!flow)
		return PASS;
	make_flow(flow, at, endpoint, q, d);
	count_hits(d, at->now);
	if (is_refused(flow->verdict)) {
		if (may_be_kept(at, known))
			enter(at, known, flow, FLOW_ENTRY_REFUSED);
		return refuse(at, flow);
	}
	if (flow->verdict == VERDICT_ALLOW)
		count(at, flow);
	else
		refuse(at, flow);
	if (p->answer || keeps_direction(known, direction))
		return PASS;
	/* A SYN from somebody else's address does not make a flow that is open pending. */
	if (is_live(known))
		flow->tcp_flags[direction] |= known->entry->flow.tcp_flags[direction] & TCP_ACK;
	report_flow(&at->key, flow, EVENT_FLOW_OPEN, 1);
	enter(at, known, flow, FLOW_ENTRY_PENDING);
	return PASS;
}

/* A packet of a flow whose entry is held. */
static __always_inline int follow_held(struct passage *at, struct flow *flow)
{
	if (flow->generation != at->generation) {
		judge_again(at, flow);
		tell_change(at, flow);
	}
	if (is_refused(flow->verdict)) {
		if (at->direction == flow->direction)
			flow->seen_ns = at->now;
		return refuse(at, flow);
	}
	count(at, flow);
	account(flow, at);
	return PASS;
}

static __noinline int follow(struct passage *at, struct found *f, __u32 before)
{
	int new = f->entry->flow.state == FLOW_NEW, action = follow_held(at, &f->entry->flow);
	struct ledger *ledger;

	if (let_go(f, before) || !new)
		return action;
	ledger = this_ledger();
	if (ledger)
		ledger->flows_full++;
	return action;
}

/* A pod's flow has one address of the pod: from another one it is another connection. */
static __always_inline int is_sender(const struct flow *flow, const struct passage *at)
{
	return at->direction == DIRECTION_INGRESS ||
	       same_address(flow->pod, at->packet.tuple.source);
}

/*
 * Whether the other side of a flow that was cut may be judged for itself again: nobody can tell
 * a new exchange from the old one but by the silence of the side that may not send. TCP can: a
 * new connection begins with a SYN.
 */
static __always_inline int is_reversal(const struct flow *flow, const struct passage *at)
{
	/* Less than nothing where another CPU was a tick ahead. */
	__s64 silence = at->now - flow->seen_ns;

	return is_refused(flow->verdict) && flow->direction != at->direction &&
	       at->key.protocol != IPPROTO_TCP && silence > CUT_SILENCE_NS;
}

/* Whether a packet goes on with the flow of that entry, and does not begin another one. */
static __always_inline int goes_on(const struct found *f, const struct passage *at)
{
	const struct flow *flow = &f->entry->flow;
	int repeated = class_of(f->seen) == FLOW_ENTRY_PENDING && flow->state == FLOW_NEW &&
	               flow->direction == at->direction;

	return class_of(f->seen) != FLOW_ENTRY_REFUSED && is_sender(flow, at) &&
	       (repeated || !at->packet.opens) && !is_reversal(flow, at);
}

static __always_inline int follow_or_judge(struct __sk_buff *skb, struct passage *at,
                                           struct found *f)
{
	__u32 before = class_of(f->seen);

	if (f->entry && goes_on(f, at)) {
		if (hold_entry(f, &at->id))
			return follow(at, f, before);
		f->entry = NULL;
	}
	return judge_new(skb, at, f);
}

static __always_inline int track(struct __sk_buff *skb, struct passage *at)
{
	struct found found;

	make_key(at, &at->packet.tuple, skb->ifindex);
	look_up(&found, &at->id);
	return follow_or_judge(skb, at, &found);
}

/*
 * Whether a neighbour message is what the link needs. A pod sends none that are a router's, and
 * none to strangers beyond the link.
 */
static __noinline int is_needed(const struct passage *at)
{
	const struct tuple *t = &at->packet.tuple;

	if (at->direction == DIRECTION_INGRESS || !t->protocol) /* ARP has no protocol */
		return 1;
	if (at->packet.router)
		return 0;
	return t->destination[0] == 0xff || is_link_scope(t->destination) ||
	       find_identity(t->destination, at->generation) != IDENTITY_WORLD;
}

/* Whether some policy that is no dry run has a say in what this rule set judges. */
static __always_inline int is_enforcing(__u32 number)
{
	const struct ruleset *set;

	if (number == RULESET_CLOSED)
		return 1;
	set = bpf_map_lookup_elem(&ruleset_map, &number);
	return !set || set->flags & RULESET_ENFORCES;
}

/* A packet of no connection: counted, and dropped for this reason where policy isolates. */
static __noinline int judge_stray(struct __sk_buff *skb, struct passage *at, __u8 reason)
{
	__u32 ifindex = skb->ifindex, direction = at->direction & 1;
	struct endpoint *endpoint = bpf_map_lookup_elem(&endpoint_map, &ifindex);
	struct question *q = &at->question;
	struct decision *d = &at->decision;
	struct flow *flow = get_draft();

	if (!endpoint || !flow)
		return PASS;
	ask(q, &at->packet.tuple, direction, endpoint, at->generation);
	if (reason >= REASON_FIRST_DENIAL && q->ruleset == RULESET_NONE)
		reason = REASON_NO_POLICY;
	__builtin_memset(d, 0, sizeof(*d));
	decide(d, reason);
	if (d->verdict == VERDICT_ALLOW) {
		count_packet(endpoint->index, direction, reason, 0, at->bytes);
		return PASS;
	}
	if (!is_enforcing(q->ruleset))
		d->verdict = VERDICT_WOULD_DENY;
	make_key(at, &at->packet.tuple, ifindex);
	make_flow(flow, at, endpoint, q, d);
	return refuse(at, flow);
}

static __noinline struct passage *start_passage(struct __sk_buff *skb, __u32 direction,
                                                __u32 generation)
{
	__u32 zero = 0;
	struct passage *at = bpf_map_lookup_elem(&passage_map, &zero);

	if (!at)
		return NULL;
	__builtin_memset(&at->packet, 0, sizeof(at->packet));
	at->now = coarse_ns();
	at->generation = generation;
	at->bytes = skb->len;
	at->direction = direction;
	return at;
}

/* A plain packet that opens a flow or changes one: all that is read of it already. */
static __noinline int handle_plain(struct __sk_buff *skb, __u32 direction, __u32 generation,
                                   const struct plain *p, struct found *found)
{
	struct passage *at = start_passage(skb, direction, generation);

	if (!at)
		return DROP;
	take_plain(at, p);
	return follow_or_judge(skb, at, found);
}

/* Any packet. */
static __noinline int handle_any(struct __sk_buff *skb, __u32 direction, __u32 generation)
{
	struct passage *at = start_passage(skb, direction, generation);

	if (!at)
		return DROP;
	switch (parse(skb, &at->packet)) {
	case PACKET_CONNECTION:
		if (at->packet.fragmented)
			remember_fragment(at, skb->ifindex);
		break;
	case PACKET_LATER_FRAGMENT:
		if (!recall_fragment(at, skb->ifindex))
			return judge_stray(skb, at, REASON_FRAGMENT);
		break;
	case PACKET_ICMP_ERROR:
		if (!is_forged_error(skb, at) && passes_quoted(skb, at))
			return judge_stray(skb, at, REASON_ICMP_ERROR);
		break;
	case PACKET_NEIGHBOR:
		if (is_needed(at))
			return judge_stray(skb, at, REASON_NEIGHBOR);
		break;
	case PACKET_NOT_IP:
		return judge_stray(skb, at, REASON_NOT_IP);
	case PACKET_SOURCE_ROUTED:
		return judge_stray(skb, at, REASON_SOURCE_ROUTED);
	default:
		return judge_stray(skb, at, REASON_MALFORMED);
	}
	return track(skb, at);
}

static __always_inline int handle(struct __sk_buff *skb, __u32 direction)
{
	__u32 generation = generation_for(skb, direction);
	struct found found;
	struct plain plain;

	if (!read_plain(skb, &plain, direction))
		return handle_any(skb, direction, generation);
	find_entry(&found, &plain.id);
	switch (express(&found, &plain, direction, generation, skb->len)) {
	case EXPRESS_PASS:
		return PASS;
	case EXPRESS_DROP:
		return DROP;
	default:
		return handle_plain(skb, direction, generation, &plain, &found);
	}
}

SEC("tc")
int from_pod(struct __sk_buff *skb)
{
	return handle(skb, DIRECTION_EGRESS);
}

SEC("tc")
int to_pod(struct __sk_buff *skb)
{
	return handle(skb, DIRECTION_INGRESS);
}

/* What a pod's interface has until it is known whose it is. Audit mode drops nothing. */
SEC("tc")
int closed(struct __sk_buff *skb)
{
	/* What leaves by an interface came by another one. */
	__u32 direction = skb->ingress_ifindex == skb->ifindex ? DIRECTION_EGRESS
	                                                       : DIRECTION_INGRESS;
	struct counter *counter;

	if (state.audit)
		return PASS;
	counter = bpf_map_lookup_elem(&closed_map, &direction);
	if (counter) {
		counter->packets++;
		counter->bytes += skb->len;
	}
	return DROP;
}

/*
 * Answers how a connection would be judged, by the same code and maps, and leaves no trace.
 * For test runs alone; see ebpfd/trace.h.
 */
SEC("tc")
int trace_packet(struct __sk_buff *skb)
{
	__u32 ifindex = skb->cb[TRACE_IN_IFINDEX], direction = skb->cb[TRACE_IN_DIRECTION] & 1;
	struct endpoint *endpoint = bpf_map_lookup_elem(&endpoint_map, &ifindex);
	__u32 generation = state.generation;
	struct packet p = {};
	struct decision d;
	struct question q;

	if (!endpoint || parse(skb, &p) != PACKET_CONNECTION)
		return DROP;
	ask(&q, &p.tuple, direction, endpoint, generation);
	q.believed = 1;
	q.traced = 1;
	judge(endpoint, &q, &d);
	if (is_refused(d.verdict) && state.audit)
		d.verdict = VERDICT_WOULD_DENY;
	skb->cb[TRACE_OUT_VERDICT] = d.verdict | d.reason << 8;
	skb->cb[TRACE_OUT_ENFORCED_RULE] = d.enforced_rule;
	skb->cb[TRACE_OUT_RULE] = d.rule;
	skb->cb[TRACE_OUT_RULESET] = q.ruleset;
	skb->cb[TRACE_OUT_IDENTITY] = d.identity;
	return PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
