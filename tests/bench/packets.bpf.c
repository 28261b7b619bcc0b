/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What packets are measured with: a floor, and traffic that is another flow with each packet. */
#include "bpf.bpf.h"

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>

/* Filled before the first run: the program that judges, or the empty one. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} judge SEC(".maps");

/* Set between open and load. Flows to choose from; 0: each packet is one never seen before. */
const volatile __u32 flows = 0;

struct ports {
	__be16 source;
	__be16 destination;
};

SEC("tc")
int empty(struct __sk_buff *skb)
{
	(void)skb;
	return TC_ACT_UNSPEC;
}

/*
 * Makes a packet without options or extension headers one of another flow, then lets it be judged.
 * A test run repeats with the same packet, so what is written here is what the next one begins with.
 */
SEC("tc")
int shuffle(struct __sk_buff *skb)
{
	__u32 header = skb->protocol == bpf_htons(ETH_P_IPV6) ? sizeof(struct ipv6hdr)
							      : sizeof(struct iphdr);
	struct ports *ports = (void *)(long)skb->data + ETH_HLEN + header;
	__u32 flow = bpf_get_prandom_u32();

	if ((void *)(ports + 1) > (void *)(long)skb->data_end)
		return TC_ACT_SHOT;
	if (flows)
		flow %= flows;
	ports->source = bpf_htons(flow & 0xffff);
	ports->destination = bpf_htons(0x8000 | flow >> 16);
	bpf_tail_call(skb, &judge, 0);
	return TC_ACT_SHOT;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
