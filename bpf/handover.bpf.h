/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
/*
 * How an interface comes from tc filters to TCX links while each packet is judged exactly once.
 * TCX programs run before filters. The new link starts with clear_mark, and the filter judges on;
 * then the filter is replaced by one that judges what is not marked as judged; then the link's
 * program by one that marks and judges. Once packets in flight are through, the filter goes, and
 * the link gets from_pod or to_pod as they are. A mark that is lost on the way, to another's
 * program behind ours, has its packet judged twice, never not at all.
 */
#include "bpf.bpf.h"

#include <linux/pkt_cls.h>

#define JUDGED_MARK 0x6eb9fd01

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

static __always_inline int judge_by(struct __sk_buff *skb, __u32 program)
{
	bpf_tail_call(skb, &judge_programs, program);
	return TC_ACT_SHOT; /* not reached while the programs are there */
}

/* Chance may have written the mark into a word that nobody has cleared. */
SEC("tc")
int clear_mark(struct __sk_buff *skb)
{
	skb->cb[0] = 0;
	return TC_ACT_UNSPEC;
}

SEC("tc")
int from_pod_first(struct __sk_buff *skb)
{
	skb->cb[0] = JUDGED_MARK;
	return judge_by(skb, 0);
}

SEC("tc")
int to_pod_first(struct __sk_buff *skb)
{
	skb->cb[0] = JUDGED_MARK;
	return judge_by(skb, 1);
}

SEC("tc")
int from_pod_rest(struct __sk_buff *skb)
{
	return skb->cb[0] == JUDGED_MARK ? TC_ACT_UNSPEC : judge_by(skb, 0);
}

SEC("tc")
int to_pod_rest(struct __sk_buff *skb)
{
	return skb->cb[0] == JUDGED_MARK ? TC_ACT_UNSPEC : judge_by(skb, 1);
}
