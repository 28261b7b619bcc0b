/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
/* What the datapath needs to know of a packet. */
#include "bpf.bpf.h"
#include "ebpfd/flow.h"

#include <linux/in.h>

enum packet_kind {
	PACKET_CONNECTION,     /* belongs to a connection: tuple is complete */
	PACKET_ICMP_ERROR,     /* as above, and quotes a packet of another one */
	PACKET_LATER_FRAGMENT, /* tuple lacks the ports and, for IPv6, the protocol */
	PACKET_NEIGHBOR,       /* ARP, neighbour discovery, multicast listener discovery */
	PACKET_NOT_IP,
	PACKET_MALFORMED,
	PACKET_SOURCE_ROUTED,
	PACKET_SHORT, /* the linear part of the skb ended: pull and parse again */
};

/* Addresses in network order, IPv4 mapped; ports in network byte order. */
struct tuple {
	union {
		__u8 source[16];
		__be32 source_word[4];
	};
	union {
		__u8 destination[16];
		__be32 destination_word[4];
	};
	__be16 source_port;
	__be16 destination_port;
	__u8 protocol;
	__u8 query; /* of ICMP: QUERY_ASKED or QUERY_ANSWERED */
	__u8 pad[2];
};

enum {
	QUERY_ASKED = 1,
	QUERY_ANSWERED = 2,
};

struct packet {
	struct tuple tuple;
	struct tuple quoted; /* what an ICMP error is about, turned round: seen from the error */
	__u32 offset;        /* in the frame, where parsing goes on, */
	__u32 end;           /* and where it ends: behind it, a frame has padding */
	__be32 fragment_id;
	__u8 fragmented; /* a first fragment */
	__u8 tcp_flags;
	__u8 opens;  /* can only be the first packet of a connection */
	__u8 next;   /* IPv6: names the header at offset */
	__u8 router; /* a neighbour message that only routers send */
	__u8 answer; /* can only be an answer: never opens a flow */
};

static __always_inline void map_ipv4(__be32 word[4], __be32 address)
{
	word[0] = 0;
	word[1] = 0;
	word[2] = bpf_htonl(0xffff);
	word[3] = address;
}

static __always_inline int is_mapped_ipv4(const __be32 word[4])
{
	return !(word[0] | word[1] | (word[2] ^ bpf_htonl(0xffff)));
}

static __always_inline int is_link_local(const __be32 word[4])
{
	return (word[0] & bpf_htonl(0xffc00000)) == bpf_htonl(0xfe800000);
}

static __always_inline int same_address(const __u8 a[16], const __u8 b[16])
{
	const __u32 *x = (const __u32 *)a;
	const __u32 *y = (const __u32 *)b;

	/* Without a branch: one path to verify. */
	return !((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3]));
}

static __always_inline int has_ports(__u8 protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP;
}
