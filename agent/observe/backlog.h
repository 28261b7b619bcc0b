// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "observe/record.h"

#include <vector>

namespace ebpfd {

// Records in the order in which they came, in memory that grows to a fixed size and no further:
// then the oldest makes room.
class RecordRing {
public:
    explicit RecordRing(size_t capacity) : capacity_(capacity) {}

    // Returns how many records it cost: 1 if the oldest, or with no room at all this one, went.
    size_t push(const AttributedEvent& record);
    // The oldest, which goes.
    AttributedEvent take();

    size_t size() const { return size_; }
    // From the oldest on.
    const AttributedEvent& operator[](size_t index) const { return slots_[slot(index)]; }

private:
    size_t slot(size_t index) const
    {
        const size_t sum = first_ + index;
        return sum < slots_.size() ? sum : sum - slots_.size();
    }
    void grow();

    size_t capacity_;
    std::vector<AttributedEvent> slots_;
    size_t first_ = 0;
    size_t size_ = 0;
};

// Records that wait for a reader, or for a question about the past. Refusals have a quarter of
// the room for themselves, so that no flood of other records pushes them out.
class Backlog {
public:
    explicit Backlog(size_t capacity)
        : refusals_((capacity + 3) / 4), others_(capacity - (capacity + 3) / 4)
    {
    }

    // As RecordRing::push.
    size_t push(const AttributedEvent& record);
    // At most so many, the oldest first.
    std::vector<AttributedEvent> take(size_t most);

    size_t size() const { return refusals_.size() + others_.size(); }
    bool empty() const { return size() == 0; }
    const RecordRing& refusals() const { return refusals_; }
    const RecordRing& others() const { return others_; }

private:
    RecordRing refusals_;
    RecordRing others_;
};

} // namespace ebpfd
