// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ebpfd/state.h"
#include "observe/names.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace ebpfd {

// What the datapath can leave out of a reader's records: never less than what its filter wants.
struct Interest {
    uint32_t types = ~0U;       // bit by enum event_type
    uint16_t verdicts = 0xffff; // bit by enum verdict
    uint16_t port = 0;          // on either side, host byte order; 0: any
    std::string pod;            // "ns/name", as either side; empty: any

    bool operator==(const Interest&) const = default;
    // What either wants, as far as it can be said at once.
    Interest& operator|=(const Interest& other);
};

// Of a filter's conditions, which are valid.
Interest interest_of(const std::multimap<std::string, std::string>& conditions);

// The datapath's form. changes: whatever readers want, what opens, changes and ends is wanted.
watch watch_of(const std::optional<Interest>& readers, bool changes, const Names& names);

} // namespace ebpfd
