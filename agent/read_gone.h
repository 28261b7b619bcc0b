// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/result.h"

#include <cstdint>

namespace ebpfd {

// Whose counters are read: those of all, or only, for the last time, of what has gone.
enum class Reading : uint8_t { gone, all };

// Reads, by read(entry), what is known and not present any more, and forgets it: each once, also
// where an error ends it early.
template <class Known, class Present, class Read>
Result<void> read_gone(Known& known, const Present& present, const Read& read)
{
    for (auto entry = known.begin(); entry != known.end();) {
        if (present.contains(entry->first)) {
            ++entry;
            continue;
        }
        if (auto done = read(*entry); !done)
            return done;
        entry = known.erase(entry);
    }
    return {};
}

} // namespace ebpfd
