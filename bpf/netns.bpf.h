/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
/*
 * Learns whose a network namespace is, without entering it: from the node's end of a pod's
 * interface to the other end, and to the namespace that has it.
 */
#include "bpf.bpf.h"
#include "ebpfd/netns.h"
#include "kernel.bpf.h"

#include <bpf/bpf_core_read.h>

#define DEVICE_CHAINS 256 /* NETDEV_HASHENTRIES */
#define DEVICES_IN_CHAIN 256
#define DEVICE_ALIGNMENT 32 /* NETDEV_ALIGN, of the driver's part before Linux 6.12 */

static __always_inline struct net_device *find_device(struct net *net, __u32 ifindex)
{
	struct hlist_head *chains = BPF_CORE_READ(net, dev_index_head);
	struct hlist_node *node = NULL;

	bpf_core_read(&node, sizeof(node), &chains[ifindex % DEVICE_CHAINS].first);
	for (int i = 0; node && i < DEVICES_IN_CHAIN; i++) {
		struct net_device *device =
			(void *)node - bpf_core_field_offset(struct net_device, index_hlist);

		if (BPF_CORE_READ(device, ifindex) == (int)ifindex)
			return device;
		node = BPF_CORE_READ(node, next);
	}
	return NULL;
}

/* Whether its driver's part begins with a pointer to the other end. */
static __always_inline int is_paired(struct net_device *device)
{
	union {
		char text[8];
		__u64 word;
	} kind = {}, veth = {"veth"}, netkit = {"netkit"};

	bpf_probe_read_kernel_str(kind.text, sizeof(kind.text),
	                          BPF_CORE_READ(device, rtnl_link_ops, kind));
	return kind.word == veth.word || kind.word == netkit.word;
}

static __always_inline void *driver_part(struct net_device *device)
{
	__u32 size = bpf_core_type_size(struct net_device);

	if (bpf_core_field_exists(struct net_device___priv, priv))
		return (void *)device + bpf_core_field_offset(struct net_device___priv, priv);
	return (void *)device + (size + DEVICE_ALIGNMENT - 1) / DEVICE_ALIGNMENT * DEVICE_ALIGNMENT;
}

static __always_inline struct net *peer_netns(struct net_device *device)
{
	struct net_device *peer = NULL;

	if (!device || !is_paired(device))
		return NULL;
	bpf_probe_read_kernel(&peer, sizeof(peer), driver_part(device));
	return BPF_CORE_READ(peer, nd_net.net);
}

/* For test runs by the agent alone: interfaces are those of its own namespace. */
SEC("?syscall")
int find_netns(struct netns_query *query)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct net *own = BPF_CORE_READ(task, nsproxy, net_ns);
	struct net *other = peer_netns(find_device(own, query->ifindex));

	query->own = BPF_CORE_READ(own, net_cookie);
	query->other = other && other != own ? BPF_CORE_READ(other, net_cookie) : 0;
	return 0;
}
