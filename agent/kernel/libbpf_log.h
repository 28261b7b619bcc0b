// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace ebpfd {

// Sends what libbpf says to the log, one level quieter than it says it.
void route_libbpf_log();

// While it lives, all that libbpf says is for debugging: an attempt is made that may well fail.
class LibbpfAttempt {
public:
    LibbpfAttempt();
    LibbpfAttempt(const LibbpfAttempt&) = delete;
    LibbpfAttempt& operator=(const LibbpfAttempt&) = delete;
    ~LibbpfAttempt();
};

} // namespace ebpfd
