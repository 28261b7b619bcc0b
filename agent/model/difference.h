// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "model/shared_list.h"

#include <memory>

namespace ebpfd {

// Visits what makes one list the other: gone(object) for what is to be taken out, and fresh(object)
// for what is to be put in. Objects that both have are passed over by their addresses alone, as
// long as the lists are in the objects' order(); else more than necessary is visited.
template <class T, class Gone, class Fresh>
void for_each_difference(const SharedList<std::shared_ptr<const T>>& before,
                         const SharedList<std::shared_ptr<const T>>& now, Gone gone, Fresh fresh)
{
    if (before.is(now))
        return;
    auto old = before.begin();
    auto next = now.begin();
    while (old != before.end() || next != now.end()) {
        if (old != before.end() && next != now.end() && *old == *next) {
            ++old;
            ++next;
            continue;
        }
        const bool both = old != before.end() && next != now.end();
        const bool goes = next == now.end() || (both && (*old)->order() <= (*next)->order());
        const bool comes = old == before.end() || (both && (*next)->order() <= (*old)->order());
        if (goes)
            gone(*old++);
        if (comes)
            fresh(*next++);
    }
}

} // namespace ebpfd
