/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
#include "bpf.bpf.h"
#include "ebpfd/ruleset.h"

/*
 * All written by apply before the generation that uses them, read by the datapath, and
 * removed once no packet can be judged by them any more.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct ruleset);
} ruleset_map SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 262144);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct peer_key);
	__type(value, struct bitmap);
} peer_map SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 131072);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct cidr_key);
	__type(value, struct bitmap);
} cidr_map SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct port_key);
	__type(value, struct bitmap);
} port_map SEC(".maps");

/*
 * Which rules match a connection: those in force, and all of them for a rehearsal. Written and
 * read by the datapath while it judges one: too large for the stack.
 */
struct matches {
	struct bitmap enforced;
	struct bitmap all;
	__u64 watching; /* not 0: some of them belong to dry-run policies */
};

/* Entries of match_map: kernels before 6.11 let packets in while a test run is at work. */
enum {
	MATCH_PACKET = 0,
	MATCH_TRACE = 1,
	MATCH_COUNT = 2,
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, MATCH_COUNT);
	__type(key, __u32);
	__type(value, struct matches);
} match_map SEC(".maps");

/* Written by apply; read by ebpfctl and a restarted agent, never by the datapath. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct rule_info);
} rule_map SEC(".maps");
