/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
#include "bpf.bpf.h"
#include "ebpfd/flow.h"

/*
 * The flow table: see ebpfd/flow.h. Number of an entry: its bucket's times FLOW_WAYS, and its way.
 * Written by the datapath; the agent frees entries that are closed, idle or have no endpoint.
 * Mapped into memory by readers.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1 << 19);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct flow_entry);
} flow_map SEC(".maps");

/* Key: number of the bucket. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1 << 16);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct flow_tags);
} flow_tag_map SEC(".maps");

/*
 * A flow that is being made or judged anew, in place of a copy on the stack, which is scarce. One
 * packet at a time: at tc a CPU lets no other program in between.
 */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct flow);
} draft_map SEC(".maps");

/* One fragmented datagram. Addresses and identifier as on the wire, IPv4 mapped. */
struct fragment_key {
	__u8 source[16];
	__u8 destination[16];
	__u32 ifindex;
	__be32 identifier;
	__u8 protocol; /* IPv4 only: an IPv6 later fragment need not name it */
	__u8 direction;
	__u8 pad[2];
};

struct fragment_ports {
	__be16 source;
	__be16 destination;
	__u8 protocol;
	__u8 query;
	__u8 pad[2];
};

/* What the first fragment said of the ports. The least recently used make room. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct fragment_key);
	__type(value, struct fragment_ports);
} fragment_map SEC(".maps");
