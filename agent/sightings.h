// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "analysis/address_book.h"
#include "analysis/connection.h"
#include "kernel/pinned.h"
#include "observe/observer.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace ebpfd {

// The connections open now and those of the history.
struct Sightings {
    std::vector<Sighting> list; // those open now first
    // Whose ends are not what they were: gone, or their address is somebody else's now.
    size_t not_judged = 0;
    size_t records = 0;              // of the history
    std::optional<int64_t> since_ns; // its oldest one; none: there is no history
};

// The book says who has which address now.
Result<Sightings> gather_sightings(const PinnedMaps& maps, const Observer& observer,
                                   const AddressBook& book);

} // namespace ebpfd
