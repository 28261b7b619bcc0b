/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A program that a packet is in for a while. */
#include "bpf.bpf.h"

#include <linux/pkt_cls.h>

#define STEPS (1 << 20) /* some milliseconds */

volatile __u32 started;
volatile __u32 ended;
volatile __u32 steps;

static long step(__u32 number, void *context)
{
	(void)context;
	steps = number;
	return 0;
}

SEC("tc")
int slow(struct __sk_buff *skb)
{
	(void)skb;
	started++;
	bpf_loop(STEPS, step, NULL, 0);
	ended++;
	return TC_ACT_OK;
}

char _license[] SEC("license") = "GPL";
