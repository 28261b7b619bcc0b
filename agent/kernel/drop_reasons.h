// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/result.h"

#include <cstdint>
#include <map>
#include <string>

namespace ebpfd {

// The running kernel's words for enum skb_drop_reason, by number: "NO_SOCKET". Read from its BTF,
// which takes some ten milliseconds: keep the answer. ENOENT where the kernel has none.
using DropReasons = std::map<uint32_t, std::string>;
Result<DropReasons> read_drop_reasons();

// Reasons of subsystems have no word there: the number, in hexadecimal.
std::string drop_reason_name(const DropReasons& reasons, uint32_t number);

} // namespace ebpfd
