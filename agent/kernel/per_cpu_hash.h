// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "kernel/map.h"

namespace ebpfd {

// A hash map with one value of V for each possible CPU. sizeof(V) is a multiple of 8, as the
// kernel lays the values out.
template <class K, class V> class PerCpuHash {
    static_assert(sizeof(V) % 8 == 0);

public:
    static Result<PerCpuHash> open_pinned(const std::string& folder, const std::string& name,
                                          uint32_t file_flags = 0)
    {
        auto map = Map<K, V>::open_pinned(folder, name, file_flags);
        if (!map)
            return std::unexpected(map.error());
        PerCpuHash hash;
        hash.map_ = std::move(*map);
        return hash;
    }

    const RawMap& raw() const { return map_.raw(); }
    uint32_t capacity() const { return map_.capacity(); }

    // visit(key, span of the CPUs' values).
    template <class Visit> Result<void> for_each(Visit visit) const
    {
        const size_t row = raw().row_size();
        std::vector<V> values(row / sizeof(V));
        return raw().read([&](const void* keys, const void* rows, uint32_t count) {
            K key;
            for (size_t i = 0; i < count; ++i) {
                std::memcpy(&key, static_cast<const char*>(keys) + i * sizeof(K), sizeof(K));
                std::memcpy(values.data(), static_cast<const char*>(rows) + i * row, row);
                visit(std::as_const(key), std::span<const V>(values));
            }
        });
    }
    Result<void> erase(std::span<const K> keys) const { return map_.erase(keys); }

private:
    Map<K, V> map_;
};

} // namespace ebpfd
