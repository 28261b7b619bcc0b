/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
/*
 * One function a header, the bounds check inside it. Every function returns an enum
 * packet_kind; all but PACKET_CONNECTION end the parsing.
 */
#include "packet.bpf.h"

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#define VLAN_TAGS_MAX 2
#define EXTENSION_HEADERS_MAX 8
#define EXTENSION_BYTES_MIN 8
#define PULL_BYTES 512 /* linear data enough for all headers that are looked at */
#define IPV4_OPTIONS_MAX 40
#define HOP_LIMIT_ON_LINK 255 /* RFC 4861: proof that a neighbour sent it */

struct cursor {
	void *start;
	void *at;
	void *end;
	__u32 left; /* what the IP header says is left, which can be less than the frame */
	int failure;
};

enum ipv4_option {
	IPV4_OPTION_END = 0,
	IPV4_OPTION_NOP = 1,
	IPV4_OPTION_LSRR = 131,
	IPV4_OPTION_SSRR = 137,
};

struct vlan_tag {
	__be16 control;
	__be16 protocol;
};

struct sctp_start {
	__be16 source;
	__be16 destination;
	__be32 tag;
	__be32 checksum;
};
#define SCTP_CHUNK_INIT 1

/* ICMP and ICMPv6 alike; the C library's header for them cannot be compiled for BPF. */
struct icmp_start {
	__u8 type;
	__u8 code;
	__be16 checksum;
	__be16 identifier;
	__be16 sequence;
};

enum icmp_type {
	ICMP_ECHO_REPLY = 0,
	ICMP_UNREACHABLE = 3,
	ICMP_SOURCE_QUENCH = 4,
	ICMP_ECHO = 8,
	ICMP_TIME_EXCEEDED = 11,
	ICMP_PARAMETER_PROBLEM = 12,
	ICMP_TIMESTAMP = 13,
	ICMP_TIMESTAMP_REPLY = 14,
	ICMPV6_FIRST_QUERY = 128, /* all below are errors */
	ICMPV6_ECHO = 128,
	ICMPV6_ECHO_REPLY = 129,
	ICMPV6_ROUTER_ADVERTISEMENT = 134,
	ICMPV6_REDIRECT = 137,
};

/* The start of every extension header but the fragment header. */
struct routing_start {
	__u8 next;
	__u8 length;
	__u8 type;
	__u8 segments_left;
};

struct fragment_header {
	__u8 next;
	__u8 reserved;
	__be16 offset; /* lowest bit: more fragments follow */
	__be32 identifier;
};

/* The next size bytes; NULL, with the reason in failure, where packet or linear data end. */
static __always_inline void *take(struct cursor *c, __u32 size)
{
	void *at = c->at;

	if (c->left < size) {
		c->failure = PACKET_MALFORMED;
		return NULL;
	}
	if (at + size > c->end) {
		c->failure = PACKET_SHORT;
		return NULL;
	}
	c->at = at + size;
	c->left -= size;
	return at;
}

static __always_inline void take_tcp_flags(struct packet *p, __u8 flags)
{
	p->tcp_flags = flags;
	p->opens = (flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
	p->answer = (flags & (TCP_FIN | TCP_RST)) != 0;
}

static __always_inline int parse_tcp(struct cursor *c, struct packet *p)
{
	struct tcphdr *tcp;

	tcp = take(c, sizeof(*tcp));
	if (!tcp)
		return c->failure;
	p->tuple.source_port = tcp->source;
	p->tuple.destination_port = tcp->dest;
	take_tcp_flags(p, ((__u8 *)tcp)[13]);
	return PACKET_CONNECTION;
}

static __always_inline int parse_udp(struct cursor *c, struct packet *p)
{
	struct udphdr *udp;

	udp = take(c, sizeof(*udp));
	if (!udp)
		return c->failure;
	p->tuple.source_port = udp->source;
	p->tuple.destination_port = udp->dest;
	return PACKET_CONNECTION;
}

static __always_inline int parse_sctp(struct cursor *c, struct packet *p)
{
	struct sctp_start *sctp;
	__u8 *chunk;

	sctp = take(c, sizeof(*sctp));
	if (!sctp)
		return c->failure;
	p->tuple.source_port = sctp->source;
	p->tuple.destination_port = sctp->destination;
	chunk = take(c, sizeof(*chunk));
	if (!chunk && c->failure == PACKET_SHORT)
		return PACKET_SHORT;
	p->opens = chunk && *chunk == SCTP_CHUNK_INIT;
	return PACKET_CONNECTION;
}

/*
 * One extension header at p->offset, which p->next names; both move on to what follows.
 * Segments left in a routing header make the destination a mere stage on the way.
 */
static __always_inline int skip_extension(struct __sk_buff *skb, struct packet *p)
{
	struct fragment_header fragment;
	struct routing_start header;

	if (p->offset + EXTENSION_BYTES_MIN > p->end)
		return PACKET_MALFORMED;
	if (bpf_skb_load_bytes(skb, p->offset, &header, sizeof(header)))
		return PACKET_MALFORMED;
	if (p->next == IPPROTO_FRAGMENT) {
		if (bpf_skb_load_bytes(skb, p->offset, &fragment, sizeof(fragment)))
			return PACKET_MALFORMED;
		p->fragment_id = fragment.identifier;
		p->fragmented = fragment.offset & bpf_htons(1) ? 1 : 0;
		if (fragment.offset & bpf_htons(0xfff8))
			return PACKET_LATER_FRAGMENT;
		p->offset += sizeof(fragment);
	} else if (p->next == IPPROTO_AH) {
		p->offset += header.length * 4 + 8;
	} else {
		p->offset += header.length * 8 + 8;
	}
	if (p->next == IPPROTO_ROUTING && header.segments_left)
		return PACKET_SOURCE_ROUTED;
	p->next = header.next;
	return PACKET_CONNECTION;
}

static __always_inline int is_extension(__u8 next)
{
	return next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_FRAGMENT ||
	       next == IPPROTO_AH || next == IPPROTO_DSTOPTS;
}

/* From p->offset and p->next up to the upper protocol. A global function: verified once. */
__noinline int walk_extensions(struct __sk_buff *skb, struct packet *p)
{
	int kind;

	if (!p)
		return PACKET_MALFORMED;
	for (int i = 0; i < EXTENSION_HEADERS_MAX; i++) {
		if (!is_extension(p->next))
			return PACKET_CONNECTION;
		kind = skip_extension(skb, p);
		if (kind != PACKET_CONNECTION)
			return kind;
	}
	return is_extension(p->next) ? PACKET_MALFORMED : PACKET_CONNECTION;
}

/* The upper protocol's number goes to *protocol, and the cursor to its header. */
static __always_inline int find_upper(struct __sk_buff *skb, struct cursor *c, __u8 next,
                                      struct packet *p, __u8 *protocol)
{
	__u32 before = c->at - c->start;
	int kind;

	*protocol = next;
	if (!is_extension(next))
		return PACKET_CONNECTION;
	p->offset = before;
	p->end = before + c->left;
	p->next = next;
	kind = walk_extensions(skb, p);
	*protocol = p->next;
	if (kind != PACKET_CONNECTION)
		return kind;
	if (p->offset >= PULL_BYTES || p->offset < before || p->offset - before > c->left)
		return PACKET_MALFORMED;
	c->left -= p->offset - before;
	c->at = c->start + p->offset;
	return PACKET_CONNECTION;
}

/* An ICMP error: the packet it quotes is parsed by parse_quote(). */
static __always_inline int quote_follows(struct cursor *c, struct packet *p)
{
	p->answer = 1;
	p->offset = c->at - c->start;
	p->end = p->offset + c->left;
	return PACKET_ICMP_ERROR;
}

static __always_inline int parse_icmp(struct cursor *c, struct packet *p)
{
	struct icmp_start *icmp;

	icmp = take(c, sizeof(*icmp));
	if (!icmp)
		return c->failure;
	switch (icmp->type) {
	case ICMP_ECHO:
	case ICMP_TIMESTAMP:
		p->tuple.source_port = icmp->identifier;
		p->tuple.query = QUERY_ASKED;
		return PACKET_CONNECTION;
	case ICMP_ECHO_REPLY:
	case ICMP_TIMESTAMP_REPLY:
		p->tuple.destination_port = icmp->identifier;
		p->tuple.query = QUERY_ANSWERED;
		p->answer = 1;
		return PACKET_CONNECTION;
	case ICMP_UNREACHABLE:
	case ICMP_SOURCE_QUENCH:
	case ICMP_TIME_EXCEEDED:
	case ICMP_PARAMETER_PROBLEM:
		return quote_follows(c, p);
	default:
		return PACKET_CONNECTION;
	}
}

/* What a link needs to work. Only what a neighbour sent counts, else it is mere ICMPv6. */
static __always_inline int is_neighbor_message(__u8 type, __u8 hop_limit, const struct tuple *t)
{
	const __be32 *from = t->source_word;

	switch (type) {
	case 133 ... 137: /* router and neighbour solicitation and advertisement, redirect */
		return hop_limit == HOP_LIMIT_ON_LINK;
	case 130 ... 132: /* multicast listener query, report, done */
	case 143:         /* version 2 report */
		return hop_limit == 1 &&
		       (is_link_local(from) || !(from[0] | from[1] | from[2] | from[3]));
	default:
		return 0;
	}
}

static __always_inline int parse_icmpv6(struct cursor *c, struct packet *p, __u8 hop_limit)
{
	struct icmp_start *icmp;

	icmp = take(c, sizeof(*icmp));
	if (!icmp)
		return c->failure;
	if (is_neighbor_message(icmp->type, hop_limit, &p->tuple)) {
		p->router =
			icmp->type == ICMPV6_ROUTER_ADVERTISEMENT || icmp->type == ICMPV6_REDIRECT;
		return PACKET_NEIGHBOR;
	}
	if (icmp->type == ICMPV6_ECHO) {
		p->tuple.source_port = icmp->identifier;
		p->tuple.query = QUERY_ASKED;
	} else if (icmp->type == ICMPV6_ECHO_REPLY) {
		p->tuple.destination_port = icmp->identifier;
		p->tuple.query = QUERY_ANSWERED;
		p->answer = 1;
	} else if (icmp->type < ICMPV6_FIRST_QUERY) {
		return quote_follows(c, p);
	}
	return PACKET_CONNECTION;
}

static __always_inline int parse_upper(struct cursor *c, struct packet *p, __u8 hop_limit)
{
	switch (p->tuple.protocol) {
	case IPPROTO_TCP:
		return parse_tcp(c, p);
	case IPPROTO_UDP:
		return parse_udp(c, p);
	case IPPROTO_SCTP:
		return parse_sctp(c, p);
	case IPPROTO_ICMP:
		return parse_icmp(c, p);
	case IPPROTO_ICMPV6:
		return parse_icmpv6(c, p, hop_limit);
	default:
		return PACKET_CONNECTION;
	}
}

/*
 * Whether the IPv4 options, length bytes at offset, make the destination a mere stage on the
 * way. A global function: verified once.
 */
__noinline int has_source_route(struct __sk_buff *skb, __u32 offset, __u32 length)
{
	__u32 at = 0;
	__u8 option[2];

	for (int i = 0; i < IPV4_OPTIONS_MAX; i++) {
		if (at >= length || bpf_skb_load_bytes(skb, offset + at, option, sizeof(option)))
			return 0;
		if (option[0] == IPV4_OPTION_LSRR || option[0] == IPV4_OPTION_SSRR)
			return 1;
		if (option[0] == IPV4_OPTION_END)
			return 0;
		at += option[0] == IPV4_OPTION_NOP ? 1 : option[1] < 2 ? 2 : option[1];
	}
	return 0;
}

/* How many bytes of options follow, of a header with an ihl of 5 or more. */
static __always_inline __u32 ipv4_options_size(const struct iphdr *ip)
{
	return MASKED(ip->ihl - 5, 15) * 4;
}

static __always_inline int parse_ipv4(struct __sk_buff *skb, struct cursor *c, struct packet *p)
{
	struct iphdr *ip;
	__u32 options, total;
	void *skipped;

	ip = take(c, sizeof(*ip));
	if (!ip)
		return c->failure;
	if (ip->version != 4 || ip->ihl < 5)
		return PACKET_MALFORMED;
	options = ipv4_options_size(ip);
	/* A length of 0: a super-packet of over 64 KiB (BIG TCP, kernel 6.3). */
	total = bpf_ntohs(ip->tot_len);
	if (total) {
		if (total < sizeof(*ip) + options || total - sizeof(*ip) > c->left)
			return PACKET_MALFORMED;
		c->left = total - sizeof(*ip);
	}
	map_ipv4(p->tuple.source_word, ip->saddr);
	map_ipv4(p->tuple.destination_word, ip->daddr);
	p->offset = c->at - c->start;
	p->tuple.protocol = ip->protocol;
	skipped = take(c, options);
	if (!skipped)
		return c->failure;

	if (options && has_source_route(skb, p->offset, options))
		return PACKET_SOURCE_ROUTED;

	p->fragment_id = ip->id;
	if (ip->frag_off & bpf_htons(0x1fff))
		return PACKET_LATER_FRAGMENT;
	p->fragmented = ip->frag_off & bpf_htons(0x2000) ? 1 : 0;
	/* ICMPv6 means nothing over IPv4: only its number counts, as of any other protocol. */
	return ip->protocol == IPPROTO_ICMPV6 ? PACKET_CONNECTION : parse_upper(c, p, 0);
}

static __always_inline int parse_ipv6(struct __sk_buff *skb, struct cursor *c, struct packet *p)
{
	struct ipv6hdr *ip;
	__u32 payload;
	int kind;

	ip = take(c, sizeof(*ip));
	if (!ip)
		return c->failure;
	if (ip->version != 6)
		return PACKET_MALFORMED;
	payload = bpf_ntohs(ip->payload_len);
	if (payload) { /* 0: a jumbogram, BIG TCP among them */
		if (payload > c->left)
			return PACKET_MALFORMED;
		c->left = payload;
	}
	__builtin_memcpy(p->tuple.source, &ip->saddr, 16);
	__builtin_memcpy(p->tuple.destination, &ip->daddr, 16);
	/* On the wire such an address would pass for an IPv4 pod's. */
	if (is_mapped_ipv4(p->tuple.source_word) || is_mapped_ipv4(p->tuple.destination_word))
		return PACKET_MALFORMED;
	kind = find_upper(skb, c, ip->nexthdr, p, &p->tuple.protocol);
	if (kind != PACKET_CONNECTION || p->tuple.protocol == IPPROTO_ICMP)
		return kind;
	return parse_upper(c, p, ip->hop_limit);
}

/*
 * The two entries are global functions: each is verified once, by itself. Return an enum
 * packet_kind; PACKET_SHORT if more of the skb has to be made linear first.
 */
__noinline int parse_frame(struct __sk_buff *skb, struct packet *p)
{
	struct cursor c = {
		.start = (void *)(long)skb->data,
		.at = (void *)(long)skb->data,
		.end = (void *)(long)skb->data_end,
		.left = skb->len,
	};
	struct ethhdr *eth;
	struct vlan_tag *tag;
	__be16 protocol;

	if (!p)
		return PACKET_MALFORMED;
	eth = take(&c, sizeof(*eth));
	if (!eth)
		return c.failure;
	protocol = eth->h_proto;
	for (int i = 0; i < VLAN_TAGS_MAX; i++) {
		if (protocol != bpf_htons(ETH_P_8021Q) && protocol != bpf_htons(ETH_P_8021AD))
			break;
		tag = take(&c, sizeof(*tag));
		if (!tag)
			return c.failure;
		protocol = tag->protocol;
	}
	switch (protocol) {
	case bpf_htons(ETH_P_IP):
		return parse_ipv4(skb, &c, p);
	case bpf_htons(ETH_P_IPV6):
		return parse_ipv6(skb, &c, p);
	case bpf_htons(ETH_P_ARP):
		return PACKET_NEIGHBOR;
	default:
		return PACKET_NOT_IP;
	}
}

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
