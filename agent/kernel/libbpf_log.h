// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace ebpfd {

// Sends what libbpf says to the log, one level quieter than it says it.
void route_libbpf_log();

} // namespace ebpfd
