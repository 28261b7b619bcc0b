/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
#include "ebpfd/types.h"

/* Identity numbers with a meaning of their own; sets of labels start at IDENTITY_FIRST. */
enum {
	IDENTITY_WORLD = 0,   /* no pod: only CIDR blocks and rules for any peer match */
	IDENTITY_NODE = 1,    /* an address of this node */
	IDENTITY_SERVICE = 2, /* a cluster IP: look up its port in service_map */
	IDENTITY_FIRST = 16,
};
#define IDENTITY_REHEARSED 0x80000000U /* added to a service port's; see peer_key */

/* Addresses are 16 bytes in network order everywhere; IPv4 is mapped (::ffff:a.b.c.d). */
struct address_key {
	__u8 address[16];
};

/* A cluster IP and port; protocol as in the IP header, port in network byte order. */
struct service_key {
	__u8 address[16];
	__be16 port;
	__u8 protocol;
	__u8 pad;
};
EBPFD_ASSERT_SIZE(struct service_key, 20);

/*
 * Value of address_map and service_map: number[generation & 1] is in force.
 * A service port's number is an identity too: its peer bitmap is the final set of
 * matching rules, with the target ports of its backends already taken into account.
 */
struct identity_slots {
	__u32 number[2];
};
EBPFD_ASSERT_SIZE(struct identity_slots, 8);
