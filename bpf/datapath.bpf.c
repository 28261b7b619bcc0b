/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * packet: parse -> find endpoint -> track flow -> (new or stale:) classify -> verdict -> report
 *
 * Attached to the host side of each pod's veth: from_pod at tc ingress, to_pod at tc egress.
 */
#include "handover.bpf.h"
#include "parse.bpf.h"
#include "track.bpf.h"

#include "ebpfd/trace.h"

#include <linux/pkt_cls.h>

/* Allowed: the next program decides (TCX_NEXT and TC_ACT_UNSPEC are the same number). */
#define PASS TC_ACT_UNSPEC
#define DROP TC_ACT_SHOT

#define CUT_SILENCE_NS 30000000000ULL /* of a cut flow's opener, before its peer is judged anew */

static __always_inline int pull(struct __sk_buff *skb)
{
	return !bpf_skb_pull_data(skb, skb->len < PULL_BYTES ? skb->len : PULL_BYTES);
}

/* Returns an enum packet_kind, never PACKET_SHORT. */
static __always_inline int parse(struct __sk_buff *skb, struct packet *p)
{
	int kind = parse_frame(skb, p);

	if (kind == PACKET_SHORT && pull(skb)) {
		__builtin_memset(p, 0, sizeof(*p));
		kind = parse_frame(skb, p);
	}
	return kind == PACKET_SHORT ? PACKET_MALFORMED : kind;
}

static __always_inline void make_fragment_key(struct fragment_key *key, const struct passage *at,
                                              __u32 ifindex)
{
	const struct tuple *t = &at->packet.tuple;

	__builtin_memset(key, 0, sizeof(*key));
	__builtin_memcpy(key->source, t->source, sizeof(key->source));
	__builtin_memcpy(key->destination, t->destination, sizeof(key->destination));
	key->ifindex = ifindex;
	key->identifier = at->packet.fragment_id;
	key->protocol = is_mapped_ipv4(t->source_word) ? t->protocol : 0;
	key->direction = at->direction;
}

/* A first fragment tells the later ones their ports. */
static __noinline int remember_fragment(const struct passage *at, __u32 ifindex)
{
	struct fragment_ports ports = {
		.source = at->packet.tuple.source_port,
		.destination = at->packet.tuple.destination_port,
		.protocol = at->packet.tuple.protocol,
		.query = at->packet.tuple.query,
	};
	struct fragment_key key;
	struct ledger *ledger;

	make_fragment_key(&key, at, ifindex);
	if (!bpf_map_update_elem(&fragment_map, &key, &ports, BPF_ANY))
		return 0;
	ledger = this_ledger();
	if (ledger)
		ledger->fragments_full++;
	return 0;
}

/* Completes a later fragment by its first one. Returns whether that was seen. */
static __noinline int recall_fragment(struct passage *at, __u32 ifindex)
{
	struct fragment_ports *ports;
	struct fragment_key key;

	make_fragment_key(&key, at, ifindex);
	ports = bpf_map_lookup_elem(&fragment_map, &key);
	if (!ports)
		return 0;
	at->packet.tuple.source_port = ports->source;
	at->packet.tuple.destination_port = ports->destination;
	at->packet.tuple.protocol = ports->protocol;
	at->packet.tuple.query = ports->query;
	at->packet.answer = 1; /* opens nothing of its own */
	return 1;
}

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
	for (__u32 i = 0; i < DIRECTION_COUNT; i++) { /* no variable offset into the stack */
		flow->packets[i] = i == direction;
		flow->bytes[i] = i == direction ? at->bytes : 0;
		flow->tcp_flags[i] = i == direction ? at->packet.tcp_flags : 0;
	}
	flow->opened_ns = at->now;
	flow->seen_ns = at->now;
	flow->endpoint = endpoint->index;
	flow->direction = q->direction;
	flow->believed = q->believed;
	flow->state = FLOW_NEW;
	__builtin_memcpy(flow->pod, q->pod, sizeof(flow->pod));
	take_decision(flow, d, at->generation);
}

static __always_inline void count(const struct passage *at, const struct flow *flow)
{
	count_packet(flow->endpoint, at->direction, flow->reason,
	             flow->verdict >= VERDICT_WOULD_DENY, at->bytes);
}

/* Counts and tells of a packet that is refused, or would be. Returns what becomes of it. */
static __always_inline int refuse(const struct passage *at, const struct flow *flow)
{
	count(at, flow);
	report_refusal(&at->key, flow, at->direction, at->now);
	return is_refused(flow->verdict) ? DROP : PASS;
}

/* A packet without a flow. Returns what becomes of it. */
static __noinline int judge_new(struct __sk_buff *skb, struct passage *at, struct flow *known)
{
	__u32 ifindex = skb->ifindex, direction = at->direction & 1;
	struct endpoint *endpoint = bpf_map_lookup_elem(&endpoint_map, &ifindex);
	const struct packet *p = &at->packet;
	struct flow *flow = get_draft();
	struct decision d;
	struct question q;

	if (!endpoint || !flow)
		return PASS;
	ask(&q, &p->tuple, direction, endpoint, at->generation);
	q.believed = direction == DIRECTION_EGRESS || is_believable(skb);
	/* An answer to a SYN that was forgotten, or allowed under another policy. */
	if (direction == DIRECTION_INGRESS &&
	    (p->tcp_flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK)) {
		q.direction = DIRECTION_EGRESS;
		q.ruleset = endpoint->slot[at->generation & 1].ruleset[DIRECTION_EGRESS];
		q.port = p->tuple.source_port;
		q.believed = 0;
	}
	judge(endpoint, q.pod, &q, &d);
	make_flow(flow, at, endpoint, &q, &d);
	count_hits(&d, at->now);
	if (is_refused(flow->verdict))
		return refuse(at, flow);
	if (flow->verdict == VERDICT_ALLOW)
		count(at, flow);
	else
		refuse(at, flow);
	/* A live flow that is opened again in reverse keeps its own direction. */
	if (p->answer || (known && known->state != FLOW_CLOSED && known->direction != direction &&
	                  !is_refused(known->verdict)))
		return PASS;
	if (known)
		bpf_map_delete_elem(&flow_map, &at->key);
	enter(&at->key, flow);
	return PASS;
}

/* A packet of a flow in flow_map, or in pending_map. */
static __always_inline int follow(struct passage *at, struct flow *flow)
{
	if (flow->generation != at->generation)
		judge_again(at, flow, 1);
	if (is_refused(flow->verdict)) {
		if (at->direction == flow->direction)
			flow->seen_ns = at->now;
		return refuse(at, flow);
	}
	count(at, flow);
	account(flow, at);
	return PASS;
}

/*
 * The least recently used flow makes room in pending_map at once, even while somebody looks
 * at it: only counters are written in place there, what decides is written as a copy. An
 * answered flow moves to flow_map, and so does one that is forbidden now.
 */
static __noinline int follow_pending(struct passage *at, struct flow *pending)
{
	int answered = !pending->packets[at->direction & 1] && !(at->packet.tcp_flags & TCP_RST);
	struct flow *copy, *flow;

	if (pending->generation == at->generation && !answered)
		return follow(at, pending);
	copy = get_draft();
	if (!copy)
		return DROP;
	*copy = *pending;
	if (copy->generation != at->generation)
		judge_again(at, copy, 1);
	flow = move_on(&at->key, copy, answered || is_refused(copy->verdict));
	if (flow)
		return follow(at, flow);
	return is_refused(copy->verdict) ? DROP : PASS;
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
	return is_refused(flow->verdict) && flow->direction != at->direction &&
	       at->key.protocol != IPPROTO_TCP && at->now - flow->seen_ns > CUT_SILENCE_NS;
}

static __noinline int track(struct __sk_buff *skb, struct passage *at)
{
	struct flow *flow, *pending;
	int repeated;

	make_key(&at->key, &at->packet.tuple, skb->ifindex, at->direction);
	flow = bpf_map_lookup_elem(&flow_map, &at->key);
	if (flow && !at->packet.opens && is_sender(flow, at) && !is_reversal(flow, at))
		return follow(at, flow);
	pending = flow ? NULL : bpf_map_lookup_elem(&pending_map, &at->key);
	if (pending && !is_sender(pending, at))
		pending = NULL;
	repeated = pending && pending->direction == at->direction && pending->state == FLOW_NEW;
	if (pending && (repeated || !at->packet.opens))
		return follow_pending(at, pending);
	return judge_new(skb, at, flow);
}

/*
 * Whether an ICMP error's quote can be believed: an error is sent to whoever sent the packet it
 * quotes, else anyone could send anything by quoting somebody else's connection.
 */
static __noinline int has_true_quote(struct __sk_buff *skb, struct passage *at)
{
	int kind = parse_quote(skb, &at->packet);

	if (kind == PACKET_SHORT && pull(skb))
		kind = parse_quote(skb, &at->packet);
	return kind == PACKET_CONNECTION &&
	       same_address(at->packet.quoted.destination, at->packet.tuple.destination);
}

/*
 * Whether the connection that an ICMP error quotes is open and passes. Without a flow an error
 * is a packet like any other, else whoever invents a quote could send what he likes.
 */
static __noinline int passes_quoted(struct __sk_buff *skb, struct passage *at)
{
	const struct tuple *quoted = &at->packet.quoted;
	struct flow *flow, *copy = get_draft();

	make_key(&at->key, quoted, skb->ifindex, at->direction);
	flow = bpf_map_lookup_elem(&flow_map, &at->key);
	if (!flow)
		flow = bpf_map_lookup_elem(&pending_map, &at->key);
	if (!flow || !copy)
		return 0;
	*copy = *flow; /* a pending one can be given away meanwhile */
	if (!same_address(copy->pod,
	                  at->direction == DIRECTION_EGRESS ? quoted->source : quoted->destination))
		return 0;
	if (copy->generation != at->generation)
		judge_again(at, copy, 0);
	return !is_refused(copy->verdict);
}

/* Whether a pod that sends an ICMP error does so in another's name. Not on the entry's stack. */
static __noinline int is_forged_error(struct __sk_buff *skb, const struct passage *at)
{
	__u32 ifindex = skb->ifindex;
	struct endpoint *endpoint;

	if (at->direction == DIRECTION_INGRESS)
		return 0;
	endpoint = bpf_map_lookup_elem(&endpoint_map, &ifindex);
	return endpoint && is_spoofed(endpoint, at->packet.tuple.source, at->generation);
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
	struct decision d = {};
	struct question q;
	struct flow flow;

	if (!endpoint)
		return PASS;
	ask(&q, &at->packet.tuple, direction, endpoint, at->generation);
	if (reason >= REASON_FIRST_DENIAL && q.ruleset == RULESET_NONE)
		reason = REASON_NO_POLICY;
	decide(&d, reason);
	if (d.verdict == VERDICT_ALLOW) {
		count_packet(endpoint->index, direction, reason, 0, at->bytes);
		return PASS;
	}
	if (!is_enforcing(q.ruleset))
		d.verdict = VERDICT_WOULD_DENY;
	make_key(&at->key, &at->packet.tuple, ifindex, direction);
	make_flow(&flow, at, endpoint, &q, &d);
	return refuse(at, &flow);
}

static __always_inline int handle(struct __sk_buff *skb, __u32 direction)
{
	struct passage at = {};
	int kind = parse(skb, &at.packet);

	at.now = bpf_ktime_get_coarse_ns();
	at.generation = state.generation;
	at.bytes = skb->len;
	at.direction = direction;
	switch (kind) {
	case PACKET_CONNECTION:
		if (at.packet.fragmented)
			remember_fragment(&at, skb->ifindex);
		return track(skb, &at);
	case PACKET_LATER_FRAGMENT:
		if (recall_fragment(&at, skb->ifindex))
			return track(skb, &at);
		return judge_stray(skb, &at, REASON_FRAGMENT);
	case PACKET_ICMP_ERROR:
		if (!is_forged_error(skb, &at) && has_true_quote(skb, &at) &&
		    passes_quoted(skb, &at))
			return judge_stray(skb, &at, REASON_ICMP_ERROR);
		return track(skb, &at);
	case PACKET_NEIGHBOR:
		return is_needed(&at) ? judge_stray(skb, &at, REASON_NEIGHBOR) : track(skb, &at);
	case PACKET_NOT_IP:
		return judge_stray(skb, &at, REASON_NOT_IP);
	case PACKET_SOURCE_ROUTED:
		return judge_stray(skb, &at, REASON_SOURCE_ROUTED);
	default:
		return judge_stray(skb, &at, REASON_MALFORMED);
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
	judge(endpoint, q.pod, &q, &d);
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
