// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What the kernel knows of the pods' connections beside their packets: retransmissions, resets,
 * states, round-trip times, full accept queues, and packets that it dropped itself.
 *
 * Each hook is one function and up to three ways to attach it; the agent loads the first that
 * works here. None of them decides anything: a hook that is missing costs a column.
 */
#include "netns.bpf.h"
#include "subject.bpf.h"

#include <linux/ptrace.h>

#include <bpf/bpf_tracing.h>

/* The kernel's arguments stand where they are, wanted or not. */
#pragma clang diagnostic ignored "-Wunused-parameter"

/*
 * When the pods' sockets sent their SYN; key: the socket. The oldest make room: they are the least
 * likely to be answered, and those that nobody answers keep none from being measured. One that is
 * answered all the same counts as unmeasured, as does one whose SYN was not seen.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, __u64);
} connect_map SEC(".maps");

/* Whether this is the reason's number in the running kernel, if that has it. */
#define REASON_IS(number, name)                                                                    \
	(bpf_core_enum_value_exists(enum skb_drop_reason, name) &&                                 \
	 (number) == bpf_core_enum_value(enum skb_drop_reason, name))

static __always_inline void count_time(struct histogram *histogram, __u32 us)
{
	__u32 bucket = log2_of(us);

	if (bucket < HISTOGRAM_BUCKETS)
		add_one(&histogram->bucket[bucket]);
	__sync_fetch_and_add(&histogram->sum_us, us);
}

/* Retransmissions. */

static __noinline int on_retransmit(struct sock *sk)
{
	struct subject s;
	struct health *health;

	if (!subject_of_socket(&s, sk))
		return 0;
	add_one(&s.pod->retransmissions);
	health = health_of(&s.key);
	if (health)
		__sync_fetch_and_add(&health->retransmissions, 1);
	return tell(&s, EVENT_TCP_RETRANSMIT, 0);
}

SEC("?tp_btf/tcp_retransmit_skb")
int BPF_PROG(retransmit_tp_btf, struct sock *sk)
{
	return on_retransmit(sk);
}

/* At its end, to leave out those that the kernel could not send. */
SEC("?fexit/__tcp_retransmit_skb")
int BPF_PROG(retransmit_fentry, struct sock *sk, struct sk_buff *skb, int segments, int error)
{
	return error ? 0 : on_retransmit(sk);
}

SEC("?kprobe/__tcp_retransmit_skb")
int BPF_KPROBE(retransmit_kprobe, struct sock *sk)
{
	return on_retransmit(sk);
}

/* Resets that a pod sends: by its socket, or in answer to a packet for which it has none. */

static __noinline int on_reset_sent(struct sock *sk, struct sk_buff *skb)
{
	struct subject s;
	struct health *health;

	if (!(is_connection(sk) ? subject_of_socket(&s, sk) : subject_of_packet(&s, skb, NULL)))
		return 0;
	s.direction = DIRECTION_EGRESS;
	add_one(&s.pod->resets_sent);
	health = health_of(&s.key);
	if (health)
		__sync_fetch_and_add(&health->resets_sent, 1);
	return tell(&s, EVENT_TCP_RESET_SENT, 0);
}

SEC("?tp_btf/tcp_send_reset")
int BPF_PROG(reset_tp_btf, struct sock *sk, struct sk_buff *skb)
{
	return on_reset_sent(sk, skb);
}

SEC("?fentry/tcp_v4_send_reset")
int BPF_PROG(reset_v4_fentry, struct sock *sk, struct sk_buff *skb)
{
	return on_reset_sent(sk, skb);
}

SEC("?fentry/tcp_v6_send_reset")
int BPF_PROG(reset_v6_fentry, struct sock *sk, struct sk_buff *skb)
{
	return on_reset_sent(sk, skb);
}

SEC("?fentry/tcp_send_active_reset")
int BPF_PROG(reset_active_fentry, struct sock *sk)
{
	return on_reset_sent(sk, NULL);
}

SEC("?kprobe/tcp_v4_send_reset")
int BPF_KPROBE(reset_v4_kprobe, struct sock *sk, struct sk_buff *skb)
{
	return on_reset_sent(sk, skb);
}

SEC("?kprobe/tcp_v6_send_reset")
int BPF_KPROBE(reset_v6_kprobe, struct sock *sk, struct sk_buff *skb)
{
	return on_reset_sent(sk, skb);
}

SEC("?kprobe/tcp_send_active_reset")
int BPF_KPROBE(reset_active_kprobe, struct sock *sk)
{
	return on_reset_sent(sk, NULL);
}

/* Resets that a pod's socket receives and believes. */

static __noinline int on_reset_received(struct sock *sk)
{
	struct subject s;
	struct health *health;

	if (!subject_of_socket(&s, sk))
		return 0;
	s.direction = DIRECTION_INGRESS;
	add_one(&s.pod->resets_received);
	health = health_of(&s.key);
	if (health)
		__sync_fetch_and_add(&health->resets_received, 1);
	return tell(&s, EVENT_TCP_RESET_RECEIVED, 0);
}

SEC("?tp_btf/tcp_receive_reset")
int BPF_PROG(reset_received_tp_btf, struct sock *sk)
{
	return on_reset_received(sk);
}

SEC("?fentry/tcp_reset")
int BPF_PROG(reset_received_fentry, struct sock *sk)
{
	return on_reset_received(sk);
}

SEC("?kprobe/tcp_reset")
int BPF_KPROBE(reset_received_kprobe, struct sock *sk)
{
	return on_reset_received(sk);
}

/* States, and how long the pods' connections took to be there. */

static __always_inline __u32 srtt_of(struct sock *sk)
{
	return BPF_CORE_READ((struct tcp_sock *)sk, srtt_us) >> 3;
}

static __always_inline void count_failure(struct pod_health *pod, struct sock *sk)
{
	switch (BPF_CORE_READ(sk, sk_err)) {
	case 0: /* the pod gave up itself */
		break;
	case ECONNREFUSED:
		add_one(&pod->connects_refused);
		break;
	case ETIMEDOUT:
		add_one(&pod->connects_timed_out);
		break;
	default:
		add_one(&pod->connects_failed);
	}
}

/* Microseconds since the SYN, 0 where that is not known. */
static __always_inline __u32 end_connect(struct sock *sk)
{
	__u64 key = (__u64)sk, *start = bpf_map_lookup_elem(&connect_map, &key), us = 0;

	if (start) {
		us = (bpf_ktime_get_ns() - *start) / 1000;
		bpf_map_delete_elem(&connect_map, &key);
	}
	return us > 0xffffffff ? 0 : us;
}

static __always_inline void count_connect(struct pod_health *pod, __u32 us)
{
	if (us)
		count_time(&pod->connect, us);
	else
		add_one(&pod->connects_unmeasured);
}

static __always_inline void begin_connect(struct sock *sk)
{
	__u64 key = (__u64)sk, now = bpf_ktime_get_ns();

	bpf_map_update_elem(&connect_map, &key, &now, BPF_ANY);
}

static __always_inline void note_state(struct subject *s, struct sock *sk, int state,
                                       __u32 connect_us)
{
	struct health *health = health_of(&s->key);
	__u32 srtt = srtt_of(sk);

	if (!health)
		return;
	health->tcp_state = state;
	if (connect_us)
		health->connect_us = connect_us;
	if (srtt)
		health->srtt_us = srtt;
}

static __noinline int on_state(struct sock *sk, int before, int after)
{
	__u32 connect_us = 0;
	struct subject s;

	if (after == TCP_LISTEN || before == TCP_LISTEN || !subject_of_socket(&s, sk))
		return 0;
	if (after == TCP_SYN_SENT) { /* its ports are not complete yet */
		begin_connect(sk);
		return 0;
	}
	if (before == TCP_SYN_SENT)
		connect_us = end_connect(sk);
	if (before == TCP_SYN_SENT && after == TCP_CLOSE)
		count_failure(s.pod, sk);
	else if (before == TCP_SYN_SENT && after == TCP_ESTABLISHED)
		count_connect(s.pod, connect_us);
	else if (before == TCP_SYN_RECV && after == TCP_ESTABLISHED)
		add_one(&s.pod->accepts);
	note_state(&s, sk, after, after == TCP_ESTABLISHED ? connect_us : 0);
	return 0;
}

SEC("?tp_btf/inet_sock_set_state")
int BPF_PROG(state_tp_btf, struct sock *sk, int before, int after)
{
	return BPF_CORE_READ(sk, sk_protocol) == IPPROTO_TCP ? on_state(sk, before, after) : 0;
}

SEC("?fentry/tcp_set_state")
int BPF_PROG(state_fentry, struct sock *sk, int after)
{
	return on_state(sk, BPF_CORE_READ(sk, __sk_common.skc_state), after);
}

SEC("?kprobe/tcp_set_state")
int BPF_KPROBE(state_kprobe, struct sock *sk, int after)
{
	return on_state(sk, BPF_CORE_READ(sk, __sk_common.skc_state), after);
}

/*
 * Round-trip times. The hook sees every segment of an open connection and looks at few of them:
 * the kernel smooths over eight. The number is odd, so that of two sides that take turns both
 * are seen.
 */
#define SEGMENTS_A_SAMPLE 7

/* Segments since the last sample. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} segment_map SEC(".maps");

static __always_inline int is_sample(void)
{
	__u32 zero = 0, *segments = bpf_map_lookup_elem(&segment_map, &zero);

	if (!segments || ++*segments < SEGMENTS_A_SAMPLE)
		return 0;
	*segments = 0;
	return 1;
}

static __noinline int sample_rtt(struct sock *sk)
{
	__u32 srtt = srtt_of(sk);
	struct health *health;
	struct subject s;

	if (!srtt || !subject_of_socket(&s, sk))
		return 0;
	count_time(&s.pod->srtt, srtt);
	health = health_of(&s.key);
	if (health)
		health->srtt_us = srtt;
	return 0;
}

static __always_inline int on_segment(struct sock *sk)
{
	return is_sample() ? sample_rtt(sk) : 0;
}

SEC("?tp_btf/tcp_probe")
int BPF_PROG(rtt_tp_btf, struct sock *sk)
{
	return on_segment(sk);
}

SEC("?fentry/tcp_rcv_established")
int BPF_PROG(rtt_fentry, struct sock *sk)
{
	return on_segment(sk);
}

SEC("?kprobe/tcp_rcv_established")
int BPF_KPROBE(rtt_kprobe, struct sock *sk)
{
	return on_segment(sk);
}

/* Connections that found the accept queue of a pod's socket full. */

static __noinline int on_overflow(struct sock *listener)
{
	struct pod_health *pod = health_of_netns(BPF_CORE_READ(listener, __sk_common.skc_net.net));

	if (pod)
		add_one(&pod->accept_overflows);
	return 0;
}

/* The kernel's own condition, sk_acceptq_is_full(). */
static __always_inline int is_full(struct sock *listener)
{
	return BPF_CORE_READ(listener, sk_ack_backlog) >
	       BPF_CORE_READ(listener, sk_max_ack_backlog);
}

/* Where neither fentry nor kprobes work: the reason that the kernel gives since Linux 6.14. */
SEC("?tp_btf/kfree_skb")
int BPF_PROG(overflow_tp_btf, struct sk_buff *skb, void *location, __u32 reason,
             struct sock *receiver)
{
	if (!receiver || !REASON_IS(reason, SKB_DROP_REASON_TCP_LISTEN_OVERFLOW))
		return 0;
	return on_overflow(receiver);
}

SEC("?fentry/tcp_v4_syn_recv_sock")
int BPF_PROG(overflow_v4_fentry, struct sock *listener)
{
	return is_full(listener) ? on_overflow(listener) : 0;
}

SEC("?fentry/tcp_v6_syn_recv_sock")
int BPF_PROG(overflow_v6_fentry, struct sock *listener)
{
	return is_full(listener) ? on_overflow(listener) : 0;
}

SEC("?fentry/tcp_conn_request")
int BPF_PROG(overflow_syn_fentry, void *request_ops, void *af_ops, struct sock *listener)
{
	return is_full(listener) ? on_overflow(listener) : 0;
}

SEC("?kprobe/tcp_v4_syn_recv_sock")
int BPF_KPROBE(overflow_v4_kprobe, struct sock *listener)
{
	return is_full(listener) ? on_overflow(listener) : 0;
}

SEC("?kprobe/tcp_v6_syn_recv_sock")
int BPF_KPROBE(overflow_v6_kprobe, struct sock *listener)
{
	return is_full(listener) ? on_overflow(listener) : 0;
}

SEC("?kprobe/tcp_conn_request")
int BPF_KPROBE(overflow_syn_kprobe, void *request_ops, void *af_ops, struct sock *listener)
{
	return is_full(listener) ? on_overflow(listener) : 0;
}

/* Packets that the kernel drops, for a reason that it gives. */

/*
 * Reasons that tell of no loss. Kernels that do not yet tell a packet used up from a dropped one
 * (SKB_CONSUMED, Linux 6.4) free good packets of TCP without a reason.
 */
static __always_inline int is_silent(__u32 reason)
{
	if (!bpf_core_enum_value_exists(enum skb_drop_reason, SKB_CONSUMED) &&
	    REASON_IS(reason, SKB_DROP_REASON_NOT_SPECIFIED))
		return 1;
	return REASON_IS(reason, SKB_CONSUMED) || REASON_IS(reason, SKB_DROP_REASON_QUEUE_PURGE);
}

static __always_inline void count_drop(const struct subject *s, __u32 reason, __u32 bytes)
{
	struct kernel_drop_key key = {.endpoint = s->owner.endpoint, .reason = reason};
	struct counter *counter = bpf_map_lookup_elem(&kdrop_map, &key), zero = {};
	struct ledger *ledger;

	add_one(&s->pod->kernel_drops);
	if (!counter) {
		bpf_map_update_elem(&kdrop_map, &key, &zero, BPF_NOEXIST);
		counter = bpf_map_lookup_elem(&kdrop_map, &key);
	}
	if (counter) {
		add_one(&counter->packets);
		__sync_fetch_and_add(&counter->bytes, bytes);
		return;
	}
	ledger = this_ledger();
	if (ledger)
		add_one(&ledger->drops_full);
}

/*
 * Whether it was the datapath that refused the packet at the pod's interface. Refused packets are
 * of no flow that passes; the reason alone does not tell, filters of clsact often give none.
 */
static __always_inline int is_refusal(const struct subject *s, __u32 reason)
{
	const struct flow *flow;

	if (!s->on_node)
		return 0;
	if (REASON_IS(reason, SKB_DROP_REASON_TC_INGRESS) ||
	    REASON_IS(reason, SKB_DROP_REASON_TC_EGRESS))
		return 1;
	flow = find_flow(&s->key);
	return !flow || is_refused(flow->verdict);
}

static __noinline int on_drop(struct sk_buff *skb, struct sock *sk, __u32 reason)
{
	struct health *health;
	struct subject s;

	if (is_silent(reason) || !subject_of_packet(&s, skb, sk))
		return 0;
	if (is_refusal(&s, reason))
		return 0;
	count_drop(&s, reason, BPF_CORE_READ(skb, len));
	health = health_of(&s.key);
	if (health) {
		__sync_fetch_and_add(&health->drops, 1);
		health->drop_reason = reason;
	}
	return tell(&s, EVENT_KERNEL_DROP, reason);
}

/* The socket that was to receive the packet stands in a fourth argument since Linux 6.11. */
SEC("?tp_btf/kfree_skb")
int BPF_PROG(drop_receiver_tp_btf, struct sk_buff *skb, void *location, __u32 reason,
             struct sock *receiver)
{
	return on_drop(skb, receiver, reason);
}

SEC("?tp_btf/kfree_skb")
int BPF_PROG(drop_tp_btf, struct sk_buff *skb, void *location, __u32 reason)
{
	return on_drop(skb, NULL, reason);
}

SEC("?fentry/sk_skb_reason_drop")
int BPF_PROG(drop_receiver_fentry, struct sock *receiver, struct sk_buff *skb, __u32 reason)
{
	return is_last_user(skb) ? on_drop(skb, receiver, reason) : 0;
}

SEC("?fentry/kfree_skb_reason")
int BPF_PROG(drop_fentry, struct sk_buff *skb, __u32 reason)
{
	return is_last_user(skb) ? on_drop(skb, NULL, reason) : 0;
}

SEC("?kprobe/sk_skb_reason_drop")
int BPF_KPROBE(drop_receiver_kprobe, struct sock *receiver, struct sk_buff *skb, __u32 reason)
{
	return is_last_user(skb) ? on_drop(skb, receiver, reason) : 0;
}

SEC("?kprobe/kfree_skb_reason")
int BPF_KPROBE(drop_kprobe, struct sk_buff *skb, __u32 reason)
{
	return is_last_user(skb) ? on_drop(skb, NULL, reason) : 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
