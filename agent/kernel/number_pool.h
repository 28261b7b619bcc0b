// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <deque>
#include <set>

namespace ebpfd {

// Dense numbers for the rows of an array: from first up to limit, then those given back, the
// one that has been free for longest first. Beyond the limit it still counts on, so that the
// check of capacities can say what would be needed.
class NumberPool {
public:
    NumberPool() = default;
    NumberPool(uint32_t first, uint32_t limit, const std::set<uint32_t>& taken);

    uint32_t take();
    void give_back(uint32_t number) { free_.push_back(number); }

private:
    uint32_t next_ = 0;
    uint32_t limit_ = 0;
    std::deque<uint32_t> free_;
};

} // namespace ebpfd
