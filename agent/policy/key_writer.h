// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "model/objects.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace ebpfd {

// Writes fields one behind another so that different fields never give the same text: texts
// carry their length, numbers end in a mark, lists start with their count.
class KeyWriter {
public:
    KeyWriter& text(std::string_view field);
    KeyWriter& number(uint64_t field);
    KeyWriter& labels(const Labels& labels);
    KeyWriter& selector(const Selector& selector);
    KeyWriter& block(const IpBlock& block);
    // Appends what another writer has written, as it is.
    KeyWriter& raw(std::string_view written);
    std::string take() { return std::move(key_); }

private:
    std::string key_;
};

} // namespace ebpfd
