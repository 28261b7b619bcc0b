/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
/* ICMP errors, by the packet that they quote and its flow. */
#include "parse.bpf.h"
#include "track.bpf.h"

/* The ports of a quoted packet, of which an ICMP error need not bring more than 8 bytes. */
static __always_inline int parse_quoted_ports(struct cursor *c, struct tuple *t)
{
	struct icmp_start *icmp;
	__be16 *ports;

	if (has_ports(t->protocol)) {
		ports = take(c, 2 * sizeof(*ports));
		if (!ports)
			return c->failure;
		t->destination_port = ports[0];
		t->source_port = ports[1];
		return PACKET_CONNECTION;
	}
	if (t->protocol != IPPROTO_ICMP && t->protocol != IPPROTO_ICMPV6)
		return PACKET_CONNECTION;
	icmp = take(c, sizeof(*icmp));
	if (!icmp)
		return c->failure;
	if (icmp->type == ICMP_ECHO || icmp->type == ICMPV6_ECHO) {
		t->destination_port = icmp->identifier;
		t->query = QUERY_ANSWERED;
	} else if (icmp->type == ICMPV6_ECHO_REPLY || icmp->type == ICMP_ECHO_REPLY) {
		t->source_port = icmp->identifier;
		t->query = QUERY_ASKED;
	}
	return PACKET_CONNECTION;
}

/*
 * The packet that an ICMP error quotes went the other way: it is turned round, so that the
 * quoted tuple reads like a packet of the connection in the error's own direction.
 */
static __always_inline int parse_quoted_ipv4(struct cursor *c, struct packet *p)
{
	struct iphdr *ip;
	__u32 options;
	void *skipped;

	ip = take(c, sizeof(*ip));
	if (!ip)
		return c->failure;
	if (ip->version != 4 || ip->ihl < 5)
		return PACKET_MALFORMED;
	map_ipv4(p->quoted.source_word, ip->daddr);
	map_ipv4(p->quoted.destination_word, ip->saddr);
	p->quoted.protocol = ip->protocol;
	if (ip->frag_off & bpf_htons(0x1fff))
		return PACKET_MALFORMED;
	options = ipv4_options_size(ip);
	skipped = take(c, options);
	if (!skipped)
		return c->failure;
	return parse_quoted_ports(c, &p->quoted);
}

static __always_inline int parse_quoted_ipv6(struct __sk_buff *skb, struct cursor *c,
                                             struct packet *p)
{
	struct ipv6hdr *ip;
	int kind;

	ip = take(c, sizeof(*ip));
	if (!ip)
		return c->failure;
	__builtin_memcpy(p->quoted.source, &ip->daddr, 16);
	__builtin_memcpy(p->quoted.destination, &ip->saddr, 16);
	if (is_mapped_ipv4(p->quoted.source_word) || is_mapped_ipv4(p->quoted.destination_word))
		return PACKET_MALFORMED;
	kind = find_upper(skb, c, ip->nexthdr, p, &p->quoted.protocol);
	return kind == PACKET_CONNECTION ? parse_quoted_ports(c, &p->quoted) : kind;
}

/* Fills p->quoted. What cannot be matched to a connection is PACKET_MALFORMED. */
__noinline int parse_quote(struct __sk_buff *skb, struct packet *p)
{
	struct cursor c = {
		.start = (void *)(long)skb->data,
		.end = (void *)(long)skb->data_end,
	};

	if (!p || p->offset >= PULL_BYTES || p->offset > p->end)
		return PACKET_MALFORMED;
	c.at = c.start + p->offset;
	c.left = p->end - p->offset;
	return is_mapped_ipv4(p->tuple.source_word) ? parse_quoted_ipv4(&c, p)
	                                            : parse_quoted_ipv6(skb, &c, p);
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

/* Copies the flow that an ICMP error quotes to the draft. Returns whether there is one. */
static __noinline int copy_quoted(struct __sk_buff *skb, struct passage *at)
{
	const struct tuple *quoted = &at->packet.quoted;
	struct flow *copy = get_draft();
	struct found found;

	make_key(at, quoted, skb->ifindex);
	if (!look_up(&found, &at->id) || !copy)
		return 0;
	*copy = found.entry->flow;
	return is_unchanged(&found) && class_of(found.seen) != FLOW_ENTRY_REFUSED &&
	       same_address(copy->pod, at->direction == DIRECTION_EGRESS ? quoted->source
	                                                                 : quoted->destination);
}

static __noinline int draft_passes(struct passage *at)
{
	struct flow *copy = get_draft();

	if (!copy)
		return 0;
	if (copy->generation != at->generation)
		judge_again(at, copy);
	return !is_refused(copy->verdict);
}

/*
 * Whether the connection that an ICMP error quotes is open and passes. Without a flow an error
 * is a packet like any other, else whoever invents a quote could send what he likes.
 */
static __always_inline int passes_quoted(struct __sk_buff *skb, struct passage *at)
{
	return has_true_quote(skb, at) && copy_quoted(skb, at) && draft_passes(at);
}

/* Whether a pod that sends an ICMP error does so in another's name. Not on the entry's stack. */
static __noinline int is_forged_error(struct __sk_buff *skb, struct passage *at)
{
	struct question *q = &at->question;
	__u32 ifindex = skb->ifindex;
	struct endpoint *endpoint;

	if (at->direction == DIRECTION_INGRESS)
		return 0;
	endpoint = bpf_map_lookup_elem(&endpoint_map, &ifindex);
	if (!endpoint)
		return 0;
	__builtin_memset(q, 0, sizeof(*q));
	__builtin_memcpy(q->pod, at->packet.tuple.source, sizeof(q->pod));
	q->generation = at->generation;
	return is_spoofed(endpoint, q);
}
