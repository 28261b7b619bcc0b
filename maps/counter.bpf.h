/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
#include "bpf.bpf.h"
#include "ebpfd/counter.h"

/*
 * Written by the datapath, zeroed by apply when an index is given to another endpoint, read by
 * everyone. One value for all that an endpoint counts: the kernel allocates each one by itself.
 */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, struct endpoint_counters);
} counter_map SEC(".maps");

/*
 * What interfaces refused while they were closed, and nobody knew whose they are; key: the
 * direction. Never zeroed.
 */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, DIRECTION_COUNT);
	__type(key, __u32);
	__type(value, struct counter);
} closed_map SEC(".maps");

/* Row: the rule's number. Written by the datapath, zeroed by apply with a new rule. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, struct rule_hits);
} rule_hit_map SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ledger);
} ledger_map SEC(".maps");
