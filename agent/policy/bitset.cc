// SPDX-License-Identifier: Apache-2.0
#include "policy/bitset.h"

#include <algorithm>

namespace ebpfd {

void Bitset::fill(size_t size)
{
    words_.assign((size + 63) / 64, ~uint64_t{0});
    if (size % 64 != 0)
        words_.back() = (uint64_t{1} << (size % 64)) - 1;
}

Bitset& Bitset::operator|=(const Bitset& other)
{
    words_.resize(std::max(words_.size(), other.words_.size()));
    for (size_t index = 0; index < other.words_.size(); ++index)
        words_[index] |= other.words_[index];
    return *this;
}

Bitset& Bitset::operator&=(const Bitset& other)
{
    words_.resize(std::min(words_.size(), other.words_.size()));
    for (size_t index = 0; index < words_.size(); ++index)
        words_[index] &= other.words_[index];
    return *this;
}

} // namespace ebpfd
