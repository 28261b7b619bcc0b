// SPDX-License-Identifier: Apache-2.0
#include "totals.h"

namespace ebpfd {

Result<void> Totals::settled(const PinnedMaps& maps)
{
    const std::lock_guard lock(mutex_);
    if (auto done = endpoints_.follow(maps, Reading::gone); !done)
        return done;
    return rules_.follow(maps, Reading::gone);
}

Result<Totals::Values> Totals::read(const PinnedMaps& maps)
{
    const std::lock_guard lock(mutex_);
    auto done = endpoints_.follow(maps, Reading::all);
    if (done)
        done = endpoints_.follow_closed(maps);
    if (done)
        done = endpoints_.follow_kernel_drops(maps);
    if (done)
        done = rules_.follow(maps, Reading::all);
    if (!done)
        return std::unexpected(done.error());
    return Values{.traffic = endpoints_.traffic(),
                  .health = endpoints_.health(),
                  .kernel_drops = endpoints_.kernel_drops(),
                  .pods = endpoints_.pods(),
                  .verdicts = rules_.verdicts()};
}

} // namespace ebpfd
