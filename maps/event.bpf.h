/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
#include "bpf.bpf.h"
#include "ebpfd/event.h"

/* Written by the datapath, drained by the agent. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} refusal_ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20);
} flow_ring SEC(".maps");

/* The last report of a refused flow. Slots are shared by hash: a collision reports early. */
struct refusal {
	__u64 reported_ns;
	__u32 tag; /* of the flow that has the slot */
	__u32 suppressed;
};
#define REFUSAL_SLOTS 8192 /* a power of two */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, REFUSAL_SLOTS);
	__type(key, __u32);
	__type(value, struct refusal);
} suppress_map SEC(".maps");
