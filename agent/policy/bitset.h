// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace ebpfd {

// A set of small numbers below a size fixed at birth. Two that are combined have one size.
class Bitset {
public:
    Bitset() = default;
    explicit Bitset(size_t size) : size_(size), words_((size + 63) / 64) {}

    size_t size() const { return size_; }
    void set(size_t bit) { words_[bit / 64] |= uint64_t{1} << (bit % 64); }
    bool test(size_t bit) const { return (words_[bit / 64] >> (bit % 64)) & 1; }
    // Every number below size().
    void fill();
    void clear(size_t bit) { words_[bit / 64] &= ~(uint64_t{1} << (bit % 64)); }
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
    size_t size_ = 0;
    std::vector<uint64_t> words_;
};

} // namespace ebpfd
