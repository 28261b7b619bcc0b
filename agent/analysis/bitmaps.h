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

// The lowest bit from there on.
inline std::optional<uint32_t> first_bit(const Bitmap& bitmap, uint32_t from = 0)
{
    for (uint32_t word = from / 64; word < BITMAP_WORDS; ++word) {
        const uint64_t wanted = word == from / 64 ? ~uint64_t{0} << (from % 64) : ~uint64_t{0};
        if (const uint64_t bits = bitmap[word] & wanted; bits != 0)
            return word * 64 + static_cast<uint32_t>(std::countr_zero(bits));
    }
    return std::nullopt;
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
