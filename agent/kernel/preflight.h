// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/result.h"

#include <string>

// What the kernel and the machine must offer, each asked by trying it. An error is one
// sentence that says what to do.
namespace ebpfd {

// file: the kernel's own type information.
Result<void> check_btf(const std::string& file = "/sys/kernel/btf/vmlinux");
// Makes a small ring buffer: fails without the capability, and on kernels that have none.
Result<void> check_ring_buffer();
// The folder lies on a bpf file system, and exists afterwards.
Result<void> prepare_bpffs(const std::string& folder);
// A sentence for the error of a bpf() call that failed for want of a capability.
std::unexpected<Error> missing_capability(int code);

} // namespace ebpfd
