// SPDX-License-Identifier: Apache-2.0
#include "policy/bitset.h"

#include <algorithm>

namespace ebpfd {

void Bitset::fill()
{
    std::ranges::fill(words_, ~uint64_t{0});
    if (size_ % 64 != 0)
        words_.back() = (uint64_t{1} << (size_ % 64)) - 1;
}

Bitset& Bitset::operator|=(const Bitset& other)
{
    for (size_t index = 0; index < words_.size(); ++index)
        words_[index] |= other.words_[index];
    return *this;
}

Bitset& Bitset::operator&=(const Bitset& other)
{
    for (size_t index = 0; index < words_.size(); ++index)
        words_[index] &= other.words_[index];
    return *this;
}

} // namespace ebpfd
