// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <span>

namespace ebpfd {

// Those that a running agent may make with any arguments; see syscall_filter.cc for the others.
std::span<const int> allowed_syscalls();
// Maps, pins, links of new interfaces, test runs; no program is loaded after the start.
std::span<const uint32_t> allowed_bpf_commands();

} // namespace ebpfd
