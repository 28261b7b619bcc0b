/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
#include "bpf.bpf.h"
#include "ebpfd/counter.h"

/*
 * Rows by counter_row(). Written by the datapath, zeroed by apply when a row is given to
 * another endpoint, read by everyone.
 */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1024 * COUNTERS_PER_ENDPOINT);
	__type(key, __u32);
	__type(value, struct counter);
} counter_map SEC(".maps");

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
