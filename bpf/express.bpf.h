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

/* What both IP headers say: addresses, then what is left for the protocol. */
struct plain_ip {
	__u64 source[2];
	__u64 destination[2];
	__u32 left;
	__u8 protocol;
};

/* A header without options, of no fragment. */
static __always_inline int read_plain_ipv4(struct __sk_buff *skb, struct plain_ip *p, void *header,
                                           void *end)
{
	struct iphdr *ip = header;

	if (header + sizeof(*ip) > end || *(__u8 *)header != 0x45 ||
	    ip->frag_off & bpf_htons(0x3fff))
		return 0;
	p->source[0] = 0;
	p->source[1] = pair(bpf_htonl(0xffff), ip->saddr);
	p->destination[0] = 0;
	p->destination[1] = pair(bpf_htonl(0xffff), ip->daddr);
	p->protocol = ip->protocol;
	p->left = bpf_ntohs(ip->tot_len) - (__u32)sizeof(*ip); /* too short: more than there is */
	return p->left <= skb->len - (__u32)(ETH_HLEN + sizeof(*ip));
}

static __always_inline int read_plain_ipv6(struct __sk_buff *skb, struct plain_ip *p, void *header,
                                           void *end)
{
	struct ipv6hdr *ip = header;
	const __u32 *word = (const __u32 *)&ip->saddr;

	if (header + sizeof(*ip) > end || ip->version != 6)
		return 0;
	p->source[0] = pair(word[0], word[1]);
	p->source[1] = pair(word[2], word[3]);
	p->destination[0] = pair(word[4], word[5]);
	p->destination[1] = pair(word[6], word[7]);
	if (!p->source[0] || !p->destination[0]) /* it could be a mapped one */
		return 0;
	p->protocol = ip->nexthdr;
	p->left = bpf_ntohs(ip->payload_len);
	return p->left <= skb->len - (__u32)(ETH_HLEN + sizeof(*ip));
}

/* The ports as they stand first in both headers: the source's, then the destination's. */
static __always_inline int read_plain_ports(struct plain *p, const struct plain_ip *ip,
                                            void *header, void *end, __u32 *ports)
{
	struct tcphdr *tcp = header;

	if (header + sizeof(struct udphdr) > end)
		return 0;
	*ports = *(__u32 *)header;
	p->tcp_flags = 0;
	if (ip->protocol == IPPROTO_UDP)
		return ip->left >= sizeof(struct udphdr);
	if (ip->protocol != IPPROTO_TCP || header + sizeof(*tcp) > end || ip->left < sizeof(*tcp))
		return 0;
	p->tcp_flags = ((__u8 *)tcp)[13];
	return 1;
}

static __always_inline int read_upper(struct __sk_buff *skb, struct plain *p,
                                      const struct plain_ip *ip, void *header, void *end,
                                      __u32 direction)
{
	int inward = direction == DIRECTION_INGRESS;
	const __u64 *peer = inward ? ip->source : ip->destination;
	const __u64 *pod = inward ? ip->destination : ip->source;
	__u32 ports;

	if (!read_plain_ports(p, ip, header, end, &ports))
		return 0;
	p->id.word[0] = peer[0];
	p->id.word[1] = peer[1];
	/* The pod's port stands first in the key. */
	p->id.word[2] = pair(skb->ifindex, inward ? ports << 16 | ports >> 16 : ports);
	p->id.word[3] = ip->protocol;
	p->pod[0] = pod[0];
	p->pod[1] = pod[1];
	hash_id(&p->id);
	return 1;
}

static __always_inline int read_plain(struct __sk_buff *skb, struct plain *p, __u32 direction)
{
	void *start = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	void *header = start + ETH_HLEN;
	struct ethhdr *eth = start;
	struct plain_ip ip;

	if (header > end)
		return 0;
	if (eth->h_proto == bpf_htons(ETH_P_IP))
		return read_plain_ipv4(skb, &ip, header, end) &&
		       read_upper(skb, p, &ip, header + sizeof(struct iphdr), end, direction);
	if (eth->h_proto == bpf_htons(ETH_P_IPV6))
		return read_plain_ipv6(skb, &ip, header, end) &&
		       read_upper(skb, p, &ip, header + sizeof(struct ipv6hdr), end, direction);
	return 0;
}

/* The first eight bytes of a flow, read as one: a verdict and the policy it belongs to. */
union judged {
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
static __always_inline int changes_nothing(union judged judged, __u32 class, __u32 direction,
                                           __u32 tcp_flags)
{
	if (is_refused(judged.verdict) ||
	    tcp_flags & (TCP_SYN | TCP_FIN | TCP_RST))
		return 0;
	if (class == FLOW_ENTRY_LASTING)
		return judged.state == FLOW_ESTABLISHED;
	return class == FLOW_ENTRY_PENDING && judged.state == FLOW_NEW &&
	       judged.direction == direction;
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
                                                 union judged judged, __u32 direction,
                                                 __u32 bytes)
{
	struct flow *flow = &found->entry->flow;
	struct decision d = {.verdict = judged.verdict,
	                     .rule = flow->rule,
	                     .enforced_rule = flow->enforced_rule};
	__u32 endpoint = flow->endpoint;
	__u64 now = coarse_ns();

	/* All that is read comes before is_unchanged(). */
	if (judged.direction != direction ||
	    (p->tcp_flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK) || !is_unchanged(found) ||
	    !is_quiet(p, now))
		return EXPRESS_NONE;
	flow->seen_ns = now;
	count_packet(endpoint, direction, judged.reason, judged.verdict >= VERDICT_WOULD_DENY,
	             bytes);
	count_hits(&d, now);
	return EXPRESS_DROP;
}

static __always_inline enum express pass_again(const struct found *found, const struct plain *p,
                                               union judged judged, __u32 direction,
                                               __u32 bytes)
{
	struct flow *flow = &found->entry->flow;
	__u32 endpoint = flow->endpoint;
	__u64 now = coarse_ns();

	if (!changes_nothing(judged, class_of(found->seen), direction, p->tcp_flags) ||
	    (state.watch.signs && now - flow->reported_ns > report_interval_ns) ||
	    !is_unchanged(found))
		return EXPRESS_NONE;
	count_packet(endpoint, direction, judged.reason, judged.verdict >= VERDICT_WOULD_DENY,
	             bytes);
	count_in_flow(flow, direction, bytes, now);
	if (p->tcp_flags & ~flow->tcp_flags[direction])
		flow->tcp_flags[direction] |= p->tcp_flags;
	return EXPRESS_PASS;
}

static __always_inline enum express express(const struct found *found, const struct plain *p,
                                            __u32 direction, __u32 generation, __u32 bytes)
{
	union judged judged;

	if (!found->entry)
		return EXPRESS_NONE;
	judged.word = *(volatile __u64 *)&found->entry->flow;
	if (judged.generation != generation ||
	    (direction == DIRECTION_EGRESS && !is_from(&found->entry->flow, p->pod)))
		return EXPRESS_NONE;
	return class_of(found->seen) == FLOW_ENTRY_REFUSED
	               ? refuse_again(found, p, judged, direction, bytes)
	               : pass_again(found, p, judged, direction, bytes);
}
