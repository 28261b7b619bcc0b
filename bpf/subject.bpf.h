/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
/*
 * Whom something in the kernel concerns: a socket or a packet, to its pod by the cookie of its
 * network namespace, and to its flow by the key that the datapath would give it.
 */
#include "endpoint.bpf.h"
#include "kernel.bpf.h"
#include "record.bpf.h"

#include <bpf/bpf_core_read.h>
#include <linux/errno.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>

#define AF_INET 2
#define AF_INET6 10

/* Set between open and load. */
const volatile __u64 notice_interval_ns = 1000000000; /* at most one record of a kind and flow */

/* The last record of a flow's kind of event, as in suppress_map. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, TURN_BUCKETS);
	__type(key, __u32);
	__type(value, struct turns);
} notice_map SEC(".maps");

/* kfree_skb() and its kin drop a packet only for its last user. */
static __always_inline int is_last_user(struct sk_buff *skb)
{
	return BPF_CORE_READ(skb, users.refs.counter) == 1;
}

struct subject {
	struct netns_owner owner;
	struct pod_health *pod;
	struct flow_key key;
	__u8 address[16]; /* of the pod */
	__u32 direction;  /* of the packet */
	__u32 on_node;    /* the packet was at the node's side of the interface */
};

static __always_inline struct netns_owner *owner_of(struct net *net)
{
	__u64 cookie = BPF_CORE_READ(net, net_cookie);

	return bpf_map_lookup_elem(&netns_map, &cookie);
}

static __always_inline struct pod_health *health_of_netns(struct net *net)
{
	const struct netns_owner *owner = owner_of(net);

	return owner ? bpf_map_lookup_elem(&pod_health_map, &owner->endpoint) : NULL;
}

static __always_inline void map_ipv4(__u8 address[16], __be32 ipv4)
{
	__builtin_memset(address, 0, 10);
	address[10] = address[11] = 0xff;
	__builtin_memcpy(address + 12, &ipv4, sizeof(ipv4));
}

static __always_inline void read_addresses(struct subject *s, struct sock *sk)
{
	if (BPF_CORE_READ(sk, __sk_common.skc_family) == AF_INET) {
		map_ipv4(s->key.peer, BPF_CORE_READ(sk, __sk_common.skc_daddr));
		map_ipv4(s->address, BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr));
		return;
	}
	BPF_CORE_READ_INTO(&s->key.peer, sk, __sk_common.skc_v6_daddr);
	BPF_CORE_READ_INTO(&s->address, sk, __sk_common.skc_v6_rcv_saddr);
}

/* A socket that closes has given its number back, but not forgotten it. */
static __always_inline __be16 port_of(struct sock *sk)
{
	__u16 number = BPF_CORE_READ(sk, __sk_common.skc_num);

	return number ? bpf_htons(number) : BPF_CORE_READ((struct inet_sock *)sk, inet_sport);
}

/* Returns whether the TCP socket is a pod's; all fields are zero or set. */
static __always_inline int subject_of_socket(struct subject *s, struct sock *sk)
{
	const struct netns_owner *owner = owner_of(BPF_CORE_READ(sk, __sk_common.skc_net.net));

	__builtin_memset(s, 0, sizeof(*s));
	if (!owner || !owner->ifindex)
		return 0;
	s->owner = *owner;
	s->pod = bpf_map_lookup_elem(&pod_health_map, &s->owner.endpoint);
	s->key.ifindex = s->owner.ifindex;
	s->key.protocol = IPPROTO_TCP;
	s->key.pod_port = port_of(sk);
	s->key.peer_port = BPF_CORE_READ(sk, __sk_common.skc_dport);
	s->direction = DIRECTION_EGRESS;
	read_addresses(s, sk);
	return s->pod != NULL;
}

/* Whether the socket is one end of a connection, and can tell the other. */
static __always_inline int is_connection(struct sock *sk)
{
	return sk && BPF_CORE_READ(sk, __sk_common.skc_state) != TCP_LISTEN;
}

/* What the headers of a packet say, as the datapath would read them. */
struct wire {
	__u8 source[16];
	__u8 destination[16];
	__be16 port[2]; /* source and destination */
	__u8 protocol;
};

static __always_inline int has_ports(__u8 protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP;
}

static __always_inline int read_ipv4(struct wire *w, const void *header)
{
	struct iphdr ip;

	if (bpf_probe_read_kernel(&ip, sizeof(ip), header) || ip.version != 4)
		return 0;
	map_ipv4(w->source, ip.saddr);
	map_ipv4(w->destination, ip.daddr);
	w->protocol = ip.protocol;
	if (has_ports(ip.protocol) && !(ip.frag_off & bpf_htons(0x1fff)))
		bpf_probe_read_kernel(w->port, sizeof(w->port), header + ip.ihl * 4);
	return 1;
}

/* Behind extension headers nothing is read: such a packet counts for its pod alone. */
static __always_inline int read_ipv6(struct wire *w, const void *header)
{
	struct ipv6hdr ip;

	if (bpf_probe_read_kernel(&ip, sizeof(ip), header) || ip.version != 6)
		return 0;
	__builtin_memcpy(w->source, &ip.saddr, sizeof(w->source));
	__builtin_memcpy(w->destination, &ip.daddr, sizeof(w->destination));
	w->protocol = ip.nexthdr;
	if (has_ports(ip.nexthdr))
		bpf_probe_read_kernel(w->port, sizeof(w->port), header + sizeof(ip));
	return 1;
}

static __always_inline int read_packet(struct wire *w, struct sk_buff *skb)
{
	const void *header = BPF_CORE_READ(skb, head) + (__u64)BPF_CORE_READ(skb, network_header);

	__builtin_memset(w, 0, sizeof(*w));
	switch (BPF_CORE_READ(skb, protocol)) {
	case bpf_htons(0x0800):
		return read_ipv4(w, header);
	case bpf_htons(0x86dd):
		return read_ipv6(w, header);
	default:
		return 0;
	}
}

static __always_inline int is_same(const __u8 a[16], const __u8 b[16])
{
	const __u64 *x = (const __u64 *)a, *y = (const __u64 *)b;

	return x[0] == y[0] && x[1] == y[1];
}

/* Whether the packet was on its way to the pod. */
static __always_inline int is_arriving(const struct wire *w, const struct endpoint *endpoint)
{
	for (int i = 0; i < ENDPOINT_ADDRESSES; i++)
		if (is_same(endpoint->address[i], w->destination))
			return 1;
	return 0;
}

static __always_inline void name_flow(struct subject *s, const struct wire *w,
                                      const struct endpoint *endpoint)
{
	s->key.ifindex = s->owner.ifindex;
	s->key.protocol = w->protocol;
	s->direction = is_arriving(w, endpoint) ? DIRECTION_INGRESS : DIRECTION_EGRESS;
	if (s->direction == DIRECTION_INGRESS) {
		__builtin_memcpy(s->key.peer, w->source, sizeof(s->key.peer));
		__builtin_memcpy(s->address, w->destination, sizeof(s->address));
		s->key.peer_port = w->port[0];
		s->key.pod_port = w->port[1];
	} else {
		__builtin_memcpy(s->key.peer, w->destination, sizeof(s->key.peer));
		__builtin_memcpy(s->address, w->source, sizeof(s->address));
		s->key.peer_port = w->port[1];
		s->key.pod_port = w->port[0];
	}
}

/*
 * The pod whose socket sends or was to receive the packet, else the one in whose namespace, or
 * at whose interface on the node, it was. receiver: that socket, or NULL.
 */
static __always_inline int find_place(struct subject *s, struct sk_buff *skb, struct sock *receiver)
{
	struct sock *sk = receiver ? receiver : BPF_CORE_READ(skb, sk);
	struct net_device *device = BPF_CORE_READ(skb, dev);
	const struct netns_owner *place = owner_of(BPF_CORE_READ(device, nd_net.net));
	const struct netns_owner *owner = NULL;

	s->on_node = place && !place->ifindex;
	if (sk)
		owner = owner_of(BPF_CORE_READ(sk, __sk_common.skc_net.net));
	if (!owner || !owner->ifindex)
		owner = place;
	if (!owner)
		return 0;
	s->owner.ifindex = owner->ifindex ? owner->ifindex : BPF_CORE_READ(device, ifindex);
	return 1;
}

/* Multicast reaches those, too, who do not listen: that they throw it away is no loss. */
static __always_inline int is_multicast(const __u8 address[16])
{
	const __u32 *word = (const __u32 *)address;

	if (!word[0] && !word[1] && word[2] == bpf_htonl(0xffff))
		return (address[12] & 0xf0) == 0xe0 || word[3] == 0xffffffff;
	return address[0] == 0xff;
}

/* Returns whether the packet is a pod's; all fields are zero or set. */
static __always_inline int subject_of_packet(struct subject *s, struct sk_buff *skb,
                                             struct sock *receiver)
{
	const struct endpoint *endpoint;
	struct wire wire;

	__builtin_memset(s, 0, sizeof(*s));
	if (!skb || !find_place(s, skb, receiver))
		return 0;
	endpoint = bpf_map_lookup_elem(&endpoint_map, &s->owner.ifindex);
	if (!endpoint || !read_packet(&wire, skb) || is_multicast(wire.destination))
		return 0;
	s->owner.endpoint = endpoint->index;
	s->pod = bpf_map_lookup_elem(&pod_health_map, &s->owner.endpoint);
	name_flow(s, &wire, endpoint);
	return s->pod != NULL;
}

/* Bucket of a histogram: the position of the highest bit. */
static __always_inline __u32 log2_of(__u32 value)
{
	__u32 bits = 0;

	for (__u32 step = 16; step; step /= 2) {
		if (value >> step) {
			value >>= step;
			bits += step;
		}
	}
	return bits < HISTOGRAM_BUCKETS ? bits : HISTOGRAM_BUCKETS - 1;
}

static __always_inline struct flow *find_flow(const struct flow_key *key)
{
	struct found found;
	struct flow_id id;

	make_id(&id, key);
	find_entry(&found, &id);
	return found.entry && class_of(found.seen) > FLOW_ENTRY_REFUSED ? &found.entry->flow : NULL;
}

/* A flow's health, made if need be; NULL for flows that the datapath does not know. */
static __noinline struct health *health_of(const struct flow_key *key)
{
	struct health *health = bpf_map_lookup_elem(&health_map, key), fresh = {};
	struct ledger *ledger;
	int error;

	if (health || !find_flow(key))
		return health;
	/* Before Linux 6.4 (d7ba4cc900bf) only the lower half of what it returns is set. */
	error = (int)bpf_map_update_elem(&health_map, key, &fresh, BPF_NOEXIST);
	ledger = error == -E2BIG || error == -ENOMEM ? this_ledger() : NULL;
	if (ledger)
		add_one(&ledger->health_full);
	return bpf_map_lookup_elem(&health_map, key);
}

static __always_inline void fill_subject(struct event *event, const struct subject *s, __u8 type)
{
	const struct flow *flow = find_flow(&s->key);

	if (flow) {
		fill_event(event, &s->key, flow, type);
		return;
	}
	__builtin_memset(event, 0, sizeof(*event));
	event->key = s->key;
	event->type = type;
	event->endpoint = s->owner.endpoint;
	event->direction = s->direction;
	__builtin_memcpy(event->pod, s->address, sizeof(event->pod));
}

/*
 * A record of what happened, at most one of its kind and flow in each interval. drop_reason:
 * of EVENT_KERNEL_DROP; the flow's last one may be another by now.
 */
static __noinline int tell(const struct subject *s, __u8 type, __u32 drop_reason)
{
	__u64 now = bpf_ktime_get_ns(), whose;
	__u32 now_ms = now / 1000000;
	struct flow_id id;
	struct event *event;
	struct turn *turn;

	make_id(&id, &s->key);
	id.word[3] |= (__u64)type << 32; /* kinds take turns of their own */
	hash_id(&id);
	whose = whose_turn(&id);
	turn = find_turn(&notice_map, whose, now_ms);
	if (!turn)
		return 0;
	if (keeps_quiet(turn, whose, now_ms, notice_interval_ns / 1000000)) {
		count_record(type, OUTCOME_SUPPRESSED);
		return 0;
	}
	event = bpf_ringbuf_reserve(&flow_ring, sizeof(*event), 0);
	if (!event) {
		miss_turn(turn, whose);
		count_record(type, OUTCOME_LOST);
		return 0;
	}
	fill_subject(event, s, type);
	fill_health(event, &s->key);
	event->time_ns = now;
	event->suppressed = take_turn(turn, whose, now_ms);
	if (drop_reason)
		event->health.drop_reason = drop_reason;
	bpf_ringbuf_submit(event, wakeup(&flow_ring));
	count_record(type, OUTCOME_DELIVERED);
	return 0;
}
