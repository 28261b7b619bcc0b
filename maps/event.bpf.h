/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
#include "bpf.bpf.h"
#include "ebpfd/event.h"

/* Written by the datapath, drained by the agent. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20);
} refusal_ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20);
} flow_ring SEC(".maps");

/* When something last told of itself that may repeat; all zero: never. */
struct turn {
	__u64 whose;      /* hash of its key, with a seed that nobody can guess */
	__u32 told_ms;    /* of CLOCK_MONOTONIC, wrapping */
	__u32 suppressed; /* what was not told since then */
};

/*
 * Who shares a bucket makes room for the others: whoever has told longest ago goes first. Who is
 * pushed out tells early, never late.
 */
#define TURN_WAYS 4 /* 64 bytes, a cache line */
struct turns {
	struct turn way[TURN_WAYS];
};
#define TURN_BUCKETS 16384 /* a power of two */

/* Of refused flows. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, TURN_BUCKETS);
	__type(key, __u32);
	__type(value, struct turns);
} suppress_map SEC(".maps");
