/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
/*
 * The short way of most packets: plain TCP and UDP of a flow that is known, judged under the policy
 * in force, and not changed by them. They are counted and that is all. Any other packet, whatever
 * makes it another, goes the long way, and nothing has happened to it yet.
 */
#include "parse.bpf.h"
#include "track.bpf.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "words of a flow's key are made here");

enum express {
	EXPRESS_NONE, /* the long way */
	EXPRESS_PASS,
	EXPRESS_DROP,
};

/* Two neighbours in memory. */
static __always_inline __u64 pair(__u32 first, __u32 second)
{
	return first | (__u64)second << 32;
}

struct plain {
	struct flow_id id;
	__u64 pod[2]; /* its address, as its packet says */
	__u32 tcp_flags;
};

/* Ports, seen from the pod. Both stand first in TCP's and UDP's header. */
static __always_inline int read_transport(struct plain *p, void *header, void *end, __u32 left,
                                          __u8 protocol, __u32 *ports)
{
	struct tcphdr *tcp = header;

	if (header + sizeof(struct udphdr) > end)
		return 0;
	*ports = *(__u32 *)header;
	if (protocol == IPPROTO_UDP) {
		p->tcp_flags = 0;
		return left >= sizeof(struct udphdr);
	}
	if (protocol != IPPROTO_TCP || header + sizeof(*tcp) > end || left < sizeof(*tcp))
		return 0;
	p->tcp_flags = ((__u8 *)tcp)[13];
	return 1;
}

static __always_inline void make_words(struct plain *p, const __u64 source[2],
                                       const __u64 destination[2], __u32 ports, __u32 ifindex,
                                       __u32 direction)
{
	const __u64 *peer = direction == DIRECTION_INGRESS ? source : destination;
	const __u64 *pod = direction == DIRECTION_INGRESS ? destination : source;

	/* As on the wire: the source's first. The pod's stands first in the key. */
	if (direction == DIRECTION_INGRESS)
		ports = ports << 16 | ports >> 16;
	p->id.word[0] = peer[0];
	p->id.word[1] = peer[1];
	p->id.word[2] = pair(ifindex, ports);
	p->pod[0] = pod[0];
	p->pod[1] = pod[1];
}

/* An IPv4 header without options, of no fragment. */
static __always_inline int read_plain_ipv4(struct __sk_buff *skb, struct plain *p, void *header,
                                           void *end, __u32 direction)
{
	struct iphdr *ip = header;
	__u32 left, ports;
	__u64 source[2] = {0}, destination[2] = {0};

	if (header + sizeof(*ip) > end || *(__u8 *)header != 0x45 ||
	    ip->frag_off & bpf_htons(0x3fff))
		return 0;
	left = bpf_ntohs(ip->tot_len) - (__u32)sizeof(*ip); /* too short: more than there is */
	if (left > skb->len - (__u32)(ETH_HLEN + sizeof(*ip)))
		return 0;
	source[1] = pair(bpf_htonl(0xffff), ip->saddr);
	destination[1] = pair(bpf_htonl(0xffff), ip->daddr);
	p->id.word[3] = ip->protocol;
	if (!read_transport(p, header + sizeof(*ip), end, left, ip->protocol, &ports))
		return 0;
	make_words(p, source, destination, ports, skb->ifindex, direction);
	hash_id(&p->id);
	return 1;
}

/* An IPv6 header that TCP or UDP follows. */
static __always_inline int read_plain_ipv6(struct __sk_buff *skb, struct plain *p, void *header,
                                           void *end, __u32 direction)
{
	struct ipv6hdr *ip = header;
	const __u32 *word = (const __u32 *)&ip->saddr;
	__u64 source[2], destination[2];
	__u32 left, ports;

	if (header + sizeof(*ip) > end || ip->version != 6)
		return 0;
	left = bpf_ntohs(ip->payload_len);
	if (left > skb->len - (__u32)(ETH_HLEN + sizeof(*ip)))
		return 0;
	source[0] = pair(word[0], word[1]);
	source[1] = pair(word[2], word[3]);
	destination[0] = pair(word[4], word[5]);
	destination[1] = pair(word[6], word[7]);
	if (!source[0] || !destination[0]) /* it could be a mapped one */
		return 0;
	p->id.word[3] = ip->nexthdr;
	if (!read_transport(p, header + sizeof(*ip), end, left, ip->nexthdr, &ports))
		return 0;
	make_words(p, source, destination, ports, skb->ifindex, direction);
	hash_id(&p->id);
	return 1;
}

static __always_inline int read_plain(struct __sk_buff *skb, struct plain *p, __u32 direction)
{
	void *start = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	struct ethhdr *eth = start;

	if (start + sizeof(*eth) > end)
		return 0;
	if (eth->h_proto == bpf_htons(ETH_P_IP))
		return read_plain_ipv4(skb, p, start + sizeof(*eth), end, direction);
	if (eth->h_proto == bpf_htons(ETH_P_IPV6))
		return read_plain_ipv6(skb, p, start + sizeof(*eth), end, direction);
	return 0;
}

/* The first eight bytes of a flow, read as one: a verdict and the policy it belongs to. */
union decided {
	__u64 word;
	struct {
		__u32 generation;
		__u8 verdict;
		__u8 reason;
		__u8 direction;
		__u8 state;
	};
};

/* Whether the packet only goes on with what its flow does. */
static __always_inline int changes_nothing(union decided decided, __u32 class, __u32 direction,
                                           __u32 tcp_flags)
{
	if (is_refused(decided.verdict) ||
	    tcp_flags & (TCP_SYN | TCP_FIN | TCP_RST))
		return 0;
	if (class == FLOW_ENTRY_LASTING)
		return decided.state == FLOW_ESTABLISHED;
	return class == FLOW_ENTRY_PENDING && decided.state == FLOW_NEW &&
	       decided.direction == direction;
}

/* What is known of a plain packet, for the long way. */
static __always_inline void take_plain(struct passage *at, const struct plain *p)
{
	struct tuple *t = &at->packet.tuple;
	__u32 ports = p->id.word[2] >> 32, inward = at->direction == DIRECTION_INGRESS;
	__u64 *peer = (__u64 *)(inward ? t->source : t->destination);
	__u64 *pod = (__u64 *)(inward ? t->destination : t->source);

	at->id = p->id;
	__builtin_memcpy(&at->key, p->id.word, sizeof(at->key));
	peer[0] = p->id.word[0];
	peer[1] = p->id.word[1];
	pod[0] = p->pod[0];
	pod[1] = p->pod[1];
	t->source_port = inward ? ports >> 16 : ports;
	t->destination_port = inward ? ports : ports >> 16;
	t->protocol = p->id.word[3];
	take_tcp_flags(&at->packet, p->tcp_flags);
}

/* Whether a refusal that is known is kept quiet about this time, too; it is counted then. */
static __always_inline int is_quiet(const struct plain *p, __u64 now)
{
	__u64 whose = whose_turn(&p->id);
	struct turn *turn = find_turn(&suppress_map, whose, now / 1000000);

	if (!turn || !keeps_quiet(turn, whose, now / 1000000, refusal_interval_ms))
		return 0;
	count_record(EVENT_DROP, OUTCOME_SUPPRESSED);
	return 1;
}

static __always_inline int is_from(const struct flow *flow, const __u64 pod[2])
{
	const __u64 *known = (const __u64 *)flow->pod;

	return known[0] == pod[0] && known[1] == pod[1];
}

/* A refusal that is known, and told of already. */
static __always_inline enum express refuse_again(const struct found *found, const struct plain *p,
                                                 union decided decided, __u32 direction,
                                                 __u32 bytes)
{
	struct flow *flow = &found->entry->flow;
	struct decision d = {.verdict = decided.verdict,
	                     .rule = flow->rule,
	                     .enforced_rule = flow->enforced_rule};
	__u32 endpoint = flow->endpoint;
	__u64 now = coarse_ns();

	/* All that is read comes before is_unchanged(). */
	if (decided.direction != direction ||
	    (p->tcp_flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK) || !is_unchanged(found) ||
	    !is_quiet(p, now))
		return EXPRESS_NONE;
	flow->seen_ns = now;
	count_packet(endpoint, direction, decided.reason, decided.verdict >= VERDICT_WOULD_DENY,
	             bytes);
	count_hits(&d, now);
	return EXPRESS_DROP;
}

static __always_inline enum express pass_again(const struct found *found, const struct plain *p,
                                               union decided decided, __u32 direction,
                                               __u32 bytes)
{
	struct flow *flow = &found->entry->flow;
	__u32 endpoint = flow->endpoint;
	__u64 now = coarse_ns();

	if (!changes_nothing(decided, class_of(found->seen), direction, p->tcp_flags) ||
	    (state.watch.signs && now - flow->reported_ns > report_interval_ns) ||
	    !is_unchanged(found))
		return EXPRESS_NONE;
	count_packet(endpoint, direction, decided.reason, decided.verdict >= VERDICT_WOULD_DENY,
	             bytes);
	count_in_flow(flow, direction, bytes, now);
	if (p->tcp_flags & ~flow->tcp_flags[direction])
		flow->tcp_flags[direction] |= p->tcp_flags;
	return EXPRESS_PASS;
}

static __always_inline enum express express(const struct found *found, const struct plain *p,
                                            __u32 direction, __u32 bytes)
{
	union decided decided;

	if (!found->entry)
		return EXPRESS_NONE;
	decided.word = *(volatile __u64 *)&found->entry->flow;
	if (decided.generation != state.generation ||
	    (direction == DIRECTION_EGRESS && !is_from(&found->entry->flow, p->pod)))
		return EXPRESS_NONE;
	return class_of(found->seen) == FLOW_ENTRY_REFUSED
	               ? refuse_again(found, p, decided, direction, bytes)
	               : pass_again(found, p, decided, direction, bytes);
}
