// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/result.h"
#include "kernel/pinned.h"

#include <cstdint>
#include <vector>

namespace ebpfd {

// The frame that opens the connection in question: TCP SYN, SCTP INIT, ICMP echo request, or a
// bare header. Checksums are left out: it never leaves the machine. Fails if the addresses are
// of two families.
Result<std::vector<uint8_t>> build_probe(const TraceQuestion& question);

} // namespace ebpfd
