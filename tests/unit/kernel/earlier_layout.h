// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "bpffs.h"

#include <cstdint>
#include <string>

// Until layout 4 counter_map had a row for each counter of an endpoint.
inline constexpr uint32_t ROWS_LAYOUT = 4;

// Until layout 5 pod_health ended with kernel_drops.
inline constexpr uint32_t SHORT_HEALTH_LAYOUT = 5;

// What the pinned maps say that their layout is.
void set_layout(const Bpffs& bpffs, uint32_t layout);
// Pins what an agent of that layout would have left: row n counted n packets on the first CPU, and
// on the last.
void make_counters_rows(const Bpffs& bpffs, uint32_t endpoints);
// The same of that layout: endpoint n had n retransmissions and n drops there.
void make_health_shorter(const Bpffs& bpffs, uint32_t endpoints);
void pin_again(int fd, const std::string& path);
