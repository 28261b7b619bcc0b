/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
/*
 * The policy that a packet is judged under. From one pod of the node to another it is judged twice,
 * and where the policy changed in between, half by the one and half by the other, it could pass
 * where neither lets it. So the first judgement leaves its generation in a word that stays with the
 * packet on its way through the node, and the second one is made under the same, until the newer one
 * is settled: from then on its slots may be written. Where another program writes that word, or the
 * packet was held up for longer, in a queue of somebody's, the policy in force judges.
 */
#include "bpf.bpf.h"
#include "endpoint.bpf.h"

#define CARRIED 0x8000

static __always_inline __u32 carried(__u32 generation)
{
	return CARRIED | (generation & (CARRIED - 1));
}

static __always_inline __u32 generation_for(struct __sk_buff *skb, __u32 direction)
{
	__u32 generation = state.generation;

	if (direction == DIRECTION_EGRESS)
		skb->tc_index = carried(generation);
	else if (skb->tc_index == carried(generation - 1) && state.settled != generation)
		generation--;
	return generation;
}
