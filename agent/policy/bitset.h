// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace ebpfd {

// A set of small numbers, in as many words as the largest one asks for.
class Bitset {
public:
    Bitset() = default;
    // Empty, with room for the numbers below size.
    explicit Bitset(size_t size) : words_((size + 63) / 64) {}

    void set(size_t bit)
    {
        if (bit / 64 >= words_.size())
            words_.resize(bit / 64 + 1);
        words_[bit / 64] |= uint64_t{1} << (bit % 64);
    }
    bool test(size_t bit) const
    {
        return bit / 64 < words_.size() && ((words_[bit / 64] >> (bit % 64)) & 1) != 0;
    }
    // Every number below size.
    void fill(size_t size);
    void clear(size_t bit)
    {
        if (bit / 64 < words_.size())
            words_[bit / 64] &= ~(uint64_t{1} << (bit % 64));
    }
    // All numbers in it are below.
    size_t end() const { return words_.size() * 64; }
    Bitset& operator|=(const Bitset& other);
    Bitset& operator&=(const Bitset& other);

    // Calls visit(number) for each, in ascending order.
    template <class Visit> void for_each(Visit visit) const
    {
        for (size_t index = 0; index < words_.size(); ++index) {
            for (uint64_t word = words_[index]; word != 0; word &= word - 1)
                visit(static_cast<uint32_t>(index * 64 +
                                            static_cast<size_t>(std::countr_zero(word))));
        }
    }

private:
    std::vector<uint64_t> words_;
};

} // namespace ebpfd
