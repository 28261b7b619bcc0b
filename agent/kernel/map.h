// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "kernel/raw_map.h"

#include <cerrno>
#include <cstring>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace ebpfd {

// Entries to write, as the kernel's batches take them: keys and values apart.
template <class K, class V> struct Rows {
    std::vector<K> keys;
    std::vector<V> values;

    size_t size() const { return keys.size(); }
    void add(const K& key, const V& value)
    {
        keys.push_back(key);
        values.push_back(value);
    }
    void add(const Rows& other)
    {
        keys.insert(keys.end(), other.keys.begin(), other.keys.end());
        values.insert(values.end(), other.values.begin(), other.values.end());
    }
};

// A pinned map whose keys are K and whose values are V.
template <class K, class V> class Map {
    static_assert(std::is_trivially_copyable_v<K> && std::is_trivially_copyable_v<V>);

public:
    static Result<Map> open_pinned(const std::string& folder, const std::string& name,
                                   uint32_t file_flags = 0)
    {
        auto raw = RawMap::open_pinned(folder, name, file_flags);
        if (!raw)
            return std::unexpected(raw.error());
        if (raw->key_size() != sizeof(K) || raw->value_size() != sizeof(V))
            return fail(EINVAL, "open " + name + ": its keys or values have another size");
        Map map;
        map.raw_ = std::move(*raw);
        return map;
    }

    const RawMap& raw() const { return raw_; }
    uint32_t capacity() const { return raw_.capacity(); }

    Result<std::optional<V>> lookup(const K& key) const
    {
        V value{};
        auto found = raw_.lookup(&key, &value);
        if (!found)
            return std::unexpected(found.error());
        return *found ? std::optional<V>(value) : std::nullopt;
    }
    Result<void> update(const K& key, const V& value) const { return raw_.update(&key, &value); }
    Result<void> update(const Rows<K, V>& rows) const
    {
        return raw_.update_batch(rows.keys.data(), rows.values.data(),
                                 static_cast<uint32_t>(rows.size()));
    }
    Result<void> erase(std::span<const K> keys) const
    {
        return raw_.erase_batch(keys.data(), static_cast<uint32_t>(keys.size()));
    }
    template <class Visit> Result<void> for_each(Visit visit) const
    {
        return raw_.read([&](const void* keys, const void* values, uint32_t count) {
            K key;
            V value;
            for (uint32_t i = 0; i < count; ++i) {
                std::memcpy(&key, static_cast<const char*>(keys) + i * sizeof(K), sizeof(K));
                std::memcpy(&value, static_cast<const char*>(values) + i * sizeof(V), sizeof(V));
                visit(std::as_const(key), std::as_const(value));
            }
        });
    }
    Result<std::vector<std::pair<K, V>>> entries() const
    {
        std::vector<std::pair<K, V>> all;
        auto done = for_each([&](const K& key, const V& value) { all.emplace_back(key, value); });
        if (!done)
            return std::unexpected(done.error());
        return all;
    }

private:
    RawMap raw_;
};

} // namespace ebpfd
