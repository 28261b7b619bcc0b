/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
/*
 * The few members of the kernel's own structs that the hooks read. Where they lie, the loader
 * finds out from the running kernel's BTF.
 */
#include <linux/in6.h>
#include <linux/types.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct hlist_node {
	struct hlist_node *next;
};

struct hlist_head {
	struct hlist_node *first;
};

struct net {
	__u64 net_cookie;
	struct hlist_head *dev_index_head; /* 256 chains, by ifindex */
};

typedef struct {
	struct net *net;
} possible_net_t;

struct nsproxy {
	struct net *net_ns;
};

struct task_struct {
	struct nsproxy *nsproxy;
};

struct rtnl_link_ops {
	const char *kind;
};

struct net_device {
	int ifindex;
	possible_net_t nd_net;
	struct hlist_node index_hlist;
	const struct rtnl_link_ops *rtnl_link_ops;
};

/* Since Linux 6.12 the driver's own part has a name. */
struct net_device___priv {
	__u8 priv[0];
};

struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num; /* host byte order; 0 once the port is given back */
	unsigned short skc_family;
	volatile unsigned char skc_state;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
};

struct sock {
	struct sock_common __sk_common;
	int sk_err;
	__u32 sk_ack_backlog;
	__u32 sk_max_ack_backlog;
	__u16 sk_protocol;
};

struct inet_sock {
	__be16 inet_sport;
};

struct tcp_sock {
	__u32 srtt_us; /* times 8 */
};

typedef struct {
	int counter;
} atomic_t;

typedef struct refcount_struct {
	atomic_t refs;
} refcount_t;

struct sk_buff {
	refcount_t users;
	struct net_device *dev;
	struct sock *sk;
	unsigned int len;
	__be16 protocol;
	__u16 network_header; /* from head on */
	unsigned char *head;
};

#pragma clang attribute pop

/* Of the kernel's reasons those that have a meaning here; their numbers differ by version. */
enum skb_drop_reason {
	SKB_CONSUMED,
	SKB_DROP_REASON_NOT_SPECIFIED,
	SKB_DROP_REASON_TCP_LISTEN_OVERFLOW,
	SKB_DROP_REASON_TC_INGRESS,
	SKB_DROP_REASON_TC_EGRESS,
	SKB_DROP_REASON_QUEUE_PURGE,
};

enum {
	TCP_ESTABLISHED = 1,
	TCP_SYN_SENT = 2,
	TCP_SYN_RECV = 3,
	TCP_CLOSE = 7,
	TCP_LISTEN = 10,
};
