/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
#include "bpf.bpf.h"
#include "ebpfd/endpoint.h"

/* Written by apply; read by the datapath. Entries go when their interface or pod goes. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, struct endpoint);
} endpoint_map SEC(".maps");

/* Written by apply; read by ebpfctl and a restarted agent. Entries go with their endpoint. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct endpoint_name);
} podname_map SEC(".maps");
