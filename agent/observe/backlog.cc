// SPDX-License-Identifier: Apache-2.0
#include "observe/backlog.h"

#include <algorithm>
#include <utility>

namespace ebpfd {
namespace {

constexpr size_t first_slots = 64;

} // namespace

void RecordRing::grow()
{
    std::vector<AttributedEvent> wider;
    wider.reserve(std::min(capacity_, std::max(first_slots, slots_.size() * 2)));
    for (size_t i = 0; i < size_; i++)
        wider.push_back(std::move(slots_[slot(i)]));
    wider.resize(wider.capacity());
    slots_ = std::move(wider);
    first_ = 0;
}

size_t RecordRing::push(const AttributedEvent& record)
{
    if (capacity_ == 0)
        return 1;
    if (size_ == slots_.size() && size_ < capacity_)
        grow();
    slots_[slot(size_)] = record;
    if (size_ < slots_.size()) {
        size_++;
        return 0;
    }
    first_ = slot(1);
    return 1;
}

AttributedEvent RecordRing::take()
{
    AttributedEvent record = std::exchange(slots_[first_], {});
    first_ = slot(1);
    size_--;
    return record;
}

size_t Backlog::push(const AttributedEvent& record)
{
    return (record.raw.type == EVENT_DROP ? refusals_ : others_).push(record);
}

std::vector<AttributedEvent> Backlog::take(size_t most)
{
    std::vector<AttributedEvent> out;
    out.reserve(std::min(most, size()));
    while (out.size() < most && !empty()) {
        const bool refusal = others_.size() == 0 ||
                             (refusals_.size() > 0 && refusals_[0].time_ns <= others_[0].time_ns);
        out.push_back((refusal ? refusals_ : others_).take());
    }
    return out;
}

} // namespace ebpfd
