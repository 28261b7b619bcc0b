/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
/*
 * How an interface comes from tc filters to TCX links while each packet is judged exactly once.
 * TCX programs run before filters. The new link starts with mark_packet, and the filter judges
 * on; then the filter is replaced by one that judges marked packets alone; then the link's
 * program by from_pod or to_pod, which mark nothing. Once packets in flight are through, nothing
 * reaches the filter any more.
 */
#include "bpf.bpf.h"

#include <linux/pkt_cls.h>

/* Chance can write it too, in a word nobody has cleared: then a packet is judged twice. */
#define UNJUDGED_MARK 0x6eb9fd01

int from_pod(struct __sk_buff *skb);
int to_pod(struct __sk_buff *skb);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 2);
	__uint(key_size, sizeof(__u32));
	__array(values, int(void *));
} judge_programs SEC(".maps") = {
	.values = {(void *)&from_pod, (void *)&to_pod},
};

static __always_inline int judge_if_marked(struct __sk_buff *skb, __u32 program)
{
	if (skb->cb[0] != UNJUDGED_MARK)
		return TC_ACT_UNSPEC;
	bpf_tail_call(skb, &judge_programs, program);
	return TC_ACT_SHOT; /* not reached while the programs are there */
}

SEC("tc")
int mark_packet(struct __sk_buff *skb)
{
	skb->cb[0] = UNJUDGED_MARK;
	return TC_ACT_UNSPEC;
}

SEC("tc")
int from_pod_marked(struct __sk_buff *skb)
{
	return judge_if_marked(skb, 0);
}

SEC("tc")
int to_pod_marked(struct __sk_buff *skb)
{
	return judge_if_marked(skb, 1);
}
