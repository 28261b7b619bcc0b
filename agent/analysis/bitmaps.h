// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "model/plan.h"

#include <bit>
#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_set>

namespace ebpfd {

inline Bitmap operator|(const Bitmap& one, const Bitmap& other)
{
    Bitmap result;
    for (size_t word = 0; word < BITMAP_WORDS; ++word)
        result[word] = one[word] | other[word];
    return result;
}

inline Bitmap operator&(const Bitmap& one, const Bitmap& other)
{
    Bitmap result;
    for (size_t word = 0; word < BITMAP_WORDS; ++word)
        result[word] = one[word] & other[word];
    return result;
}

inline Bitmap operator~(const Bitmap& one)
{
    Bitmap result;
    for (size_t word = 0; word < BITMAP_WORDS; ++word)
        result[word] = ~one[word];
    return result;
}

// Calls visit(bit) for each, in ascending order.
template <class Visit> void for_each_bit(const Bitmap& bitmap, Visit visit)
{
    for (uint32_t word = 0; word < BITMAP_WORDS; ++word)
        for (uint64_t bits = bitmap[word]; bits != 0; bits &= bits - 1)
            visit(word * 64 + static_cast<uint32_t>(std::countr_zero(bits)));
}

struct BitmapHash {
    size_t operator()(const Bitmap& bitmap) const noexcept
    {
        return std::hash<std::string_view>{}(
            {reinterpret_cast<const char*>(bitmap.data()), sizeof(bitmap)});
    }
};
using BitmapSet = std::unordered_set<Bitmap, BitmapHash>;

} // namespace ebpfd
