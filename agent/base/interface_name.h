// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>

namespace ebpfd {

// Of the interface that has this number now, in the thread's network namespace; empty: there is
// none.
std::string interface_name(uint32_t ifindex);
// Whether that is there, under another name than this: then it is another one.
bool has_other_name(uint32_t ifindex, const std::string& name);

} // namespace ebpfd
