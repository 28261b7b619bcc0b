/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "counter.bpf.h"
#include "endpoint.bpf.h"
#include "event.bpf.h"
#include "flow.bpf.h"
#include "identity.bpf.h"
#include "ruleset.bpf.h"
#include "verdict.bpf.h"

/* Set between open and load. */
const volatile __u64 report_interval_ns = 5000000000; /* at most one update of a live flow */
const volatile __u64 refusal_interval_ns = 1000000000; /* at most one record of a refused flow */
const volatile __u32 wakeup_bytes = 1 << 18; /* pending in a ring before its reader is woken */

SEC("tc") int from_pod(struct __sk_buff *skb)
{
		return skb->len ? -1 : 2;
}

SEC("tc") int to_pod(struct __sk_buff *skb)
{
		return skb->len ? -1 : 2;
}

SEC("tc") int trace_packet(struct __sk_buff *skb)
{
		return skb->len ? -1 : 2;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
