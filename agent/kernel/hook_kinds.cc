// SPDX-License-Identifier: Apache-2.0
#include "kernel/hook_kinds.h"

namespace ebpfd {

namespace {

constexpr auto TP_BTF = HookAttach::tp_btf;
constexpr auto FENTRY = HookAttach::fentry;
constexpr auto KPROBE = HookAttach::kprobe;

const std::vector<HookKind> KINDS{
    {.name = "tcp_retransmit",
     .ways = {{TP_BTF, "tcp_retransmit_skb", {"retransmit_tp_btf"}},
              {FENTRY, "__tcp_retransmit_skb", {"retransmit_fentry"}},
              {KPROBE, "__tcp_retransmit_skb", {"retransmit_kprobe"}}},
     .usual = true},
    {.name = "tcp_reset_sent",
     .ways = {{TP_BTF, "tcp_send_reset", {"reset_tp_btf"}},
              {FENTRY,
               "tcp_v4_send_reset",
               {"reset_v4_fentry", "reset_v6_fentry", "reset_active_fentry"}},
              {KPROBE,
               "tcp_v4_send_reset",
               {"reset_v4_kprobe", "reset_v6_kprobe", "reset_active_kprobe"}}},
     .usual = true},
    {.name = "tcp_reset_received",
     .ways = {{TP_BTF, "tcp_receive_reset", {"reset_received_tp_btf"}},
              {FENTRY, "tcp_reset", {"reset_received_fentry"}},
              {KPROBE, "tcp_reset", {"reset_received_kprobe"}}},
     .usual = true},
    {.name = "tcp_state",
     .ways = {{TP_BTF, "inet_sock_set_state", {"state_tp_btf"}},
              {FENTRY, "tcp_set_state", {"state_fentry"}},
              {KPROBE, "tcp_set_state", {"state_kprobe"}}},
     .usual = true},
    {.name = "tcp_rtt",
     .ways = {{TP_BTF, "tcp_probe", {"rtt_tp_btf"}},
              {FENTRY, "tcp_rcv_established", {"rtt_fentry"}},
              {KPROBE, "tcp_rcv_established", {"rtt_kprobe"}}},
     .usual = true},
    // No tracepoint tells of it; since Linux 6.14 a drop reason does.
    {.name = "tcp_accept_overflow",
     .ways = {{FENTRY,
               "tcp_v4_syn_recv_sock",
               {"overflow_v4_fentry", "overflow_v6_fentry", "overflow_syn_fentry"}},
              {KPROBE,
               "tcp_v4_syn_recv_sock",
               {"overflow_v4_kprobe", "overflow_v6_kprobe", "overflow_syn_kprobe"}},
              {TP_BTF, "kfree_skb", {"overflow_tp_btf"}}}},
    // Where the kernel tells the receiving socket (since Linux 6.11), it is of use.
    {.name = "kernel_drop",
     .ways = {{TP_BTF, "kfree_skb", {"drop_receiver_tp_btf"}},
              {TP_BTF, "kfree_skb", {"drop_tp_btf"}},
              {FENTRY, "sk_skb_reason_drop", {"drop_receiver_fentry"}},
              {FENTRY, "kfree_skb_reason", {"drop_fentry"}},
              {KPROBE, "sk_skb_reason_drop", {"drop_receiver_kprobe"}},
              {KPROBE, "kfree_skb_reason", {"drop_kprobe"}}}},
};

} // namespace

std::string HookWay::text() const
{
    const char* kind = by == HookAttach::tp_btf   ? "tp_btf "
                       : by == HookAttach::fentry ? "fentry "
                                                  : "kprobe ";
    return std::string(kind) + target;
}

std::span<const HookKind> hook_kinds()
{
    return KINDS;
}

std::vector<std::string> hook_names()
{
    std::vector<std::string> names;
    for (const HookKind& kind : KINDS)
        names.emplace_back(kind.name);
    return names;
}

} // namespace ebpfd
