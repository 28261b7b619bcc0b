// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/result.h"
#include "kernel/pins.h"
#include "kernel/raw_map.h"

#include <cstdint>
#include <string_view>

// Maps of older layouts (DATAPATH_LAYOUT) that had another shape.
namespace ebpfd {

struct Conversion {
    uint32_t layout; // that had it so
    const char* map;
    uint32_t (*capacity)(uint32_t before); // of the map as it is now
    Result<void> (*fill)(const RawMap& before, const std::string& folder, const std::string& name);
};

// nullptr: the map was the same, or the layout is not known.
const Conversion* find_conversion(uint32_t layout, std::string_view map);
// Whether maps of that older layout can be gone on with.
bool can_convert(uint32_t layout);

// Fills the maps that wait under Pins::NEXT from those in force. What the programs in force write
// meanwhile is not seen.
Result<void> convert_maps(const Pins& pins, uint32_t layout);

} // namespace ebpfd
