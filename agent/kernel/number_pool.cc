// SPDX-License-Identifier: Apache-2.0
#include "kernel/number_pool.h"

namespace ebpfd {

NumberPool::NumberPool(uint32_t first, uint32_t limit, const std::set<uint32_t>& taken)
    : next_(taken.empty() ? first : *taken.rbegin() + 1), limit_(limit)
{
    for (uint32_t number = first; number < next_; ++number)
        if (!taken.contains(number))
            free_.push_back(number);
}

uint32_t NumberPool::take()
{
    if (next_ < limit_ || free_.empty())
        return next_++;
    const uint32_t number = free_.front();
    free_.pop_front();
    return number;
}

} // namespace ebpfd
