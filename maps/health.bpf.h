/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
#include "bpf.bpf.h"
#include "ebpfd/counter.h"
#include "ebpfd/flow.h"
#include "ebpfd/health.h"

/*
 * Written by the hooks for flows that the datapath knows, read by it when a flow reports.
 * Entries go when the agent sweeps their flow. Not preallocated: only TCP and flows that lose
 * packets in the kernel have one.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 262144);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct flow_key);
	__type(value, struct health);
} health_map SEC(".maps");

/* Row: the endpoint's index. Written by the hooks; zeroed by apply with counter_map's rows. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, struct pod_health);
} pod_health_map SEC(".maps");

/* Written by the hooks; entries go when apply gives their endpoint's index to another one. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 8192);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct kernel_drop_key);
	__type(value, struct counter);
} kdrop_map SEC(".maps");

/* Written by the agent, read by the hooks. Entries go with their endpoint. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, struct netns_owner);
} netns_map SEC(".maps");
