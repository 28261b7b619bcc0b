// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/fd.h"

#include <array>
#include <bpf/libbpf.h>

namespace ebpfd {

// One side of an interface and the program that runs there.
struct Hook {
    const char* name; // of tc, seen from the node
    const char* program;
    const char* first_program; // marks packets as judged; see bpf/handover.bpf.h
    const char* rest_program;  // leaves those out that are
    bpf_attach_type tcx;
    bpf_tc_attach_point clsact;
};

// BPF_TCX_INGRESS and BPF_TCX_EGRESS, which headers before Linux 6.6 lack.
inline constexpr auto TCX_INGRESS = static_cast<bpf_attach_type>(46);
inline constexpr auto TCX_EGRESS = static_cast<bpf_attach_type>(47);

// What the pod sends arrives at the node's ingress.
inline constexpr std::array<Hook, 2> HOOKS{{
    {"ingress", "from_pod", "from_pod_first", "from_pod_rest", TCX_INGRESS, BPF_TC_INGRESS},
    {"egress", "to_pod", "to_pod_first", "to_pod_rest", TCX_EGRESS, BPF_TC_EGRESS},
}};

// The loaded programs; arrays are in the order of HOOKS.
struct Programs {
    std::array<Fd, HOOKS.size()> judge;
    std::array<Fd, HOOKS.size()> judge_first;
    std::array<Fd, HOOKS.size()> judge_rest;
    Fd clear_mark;
    Fd closed; // refuses every packet
};

} // namespace ebpfd
