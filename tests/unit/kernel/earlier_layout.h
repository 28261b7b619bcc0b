// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "bpffs.h"

#include <cstdint>
#include <string>

// Until layout 4 counter_map had a row for each counter of an endpoint.
inline constexpr uint32_t ROWS_LAYOUT = 4;

// What the pinned maps say that their layout is.
void set_layout(const Bpffs& bpffs, uint32_t layout);
// Pins what an agent of that layout would have left: row n counted n packets on the first CPU, and
// on the last.
void make_counters_rows(const Bpffs& bpffs, uint32_t endpoints);
void pin_again(int fd, const std::string& path);
