/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
#include "bpf.bpf.h"

/* The clock as it was when the first packet of a tick asked for it, on any CPU. */
static volatile __u64 clock_tick;
static volatile __u64 clock_ns;

/*
 * CLOCK_MONOTONIC, coarse, in nanoseconds. It moves with the kernel's tick alone, so it is asked
 * once a tick: to ask costs as much as all else that a packet of an open flow needs.
 */
static __always_inline __u64 coarse_ns(void)
{
	__u64 tick = bpf_jiffies64(), now;

	if (clock_tick == tick)
		return clock_ns;
	now = bpf_ktime_get_coarse_ns();
	clock_ns = now; /* first: who sees the tick sees its time */
	clock_tick = tick;
	return now;
}
