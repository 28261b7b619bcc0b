// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/fd.h"
#include "base/result.h"

#include <cstdint>
#include <functional>
#include <string>

namespace ebpfd {

// A pinned map; keys and values are bytes of the map's sizes. Errors carry the map's name.
class RawMap {
public:
    // file_flags: 0 or BPF_F_RDONLY.
    static Result<RawMap> open_pinned(const std::string& folder, const std::string& name,
                                      uint32_t file_flags = 0);

    int fd() const { return fd_.get(); }
    const std::string& name() const { return name_; }
    uint32_t type() const { return type_; }
    uint32_t key_size() const { return key_size_; }
    uint32_t value_size() const { return value_size_; } // per CPU, in a per-CPU map
    // Of what a lookup returns: in a per-CPU map the values of all possible CPUs.
    uint32_t row_size() const { return row_size_; }
    uint32_t capacity() const { return capacity_; }
    uint32_t id() const { return id_; }

    // False: there is no such key.
    Result<bool> lookup(const void* key, void* value) const;
    // The values of count rows of an array, from the first one on.
    Result<void> lookup_rows(uint32_t first, uint32_t count, void* values) const;
    Result<void> update(const void* key, const void* value) const;
    // On an error some of the entries may have been written.
    Result<void> update_batch(const void* keys, const void* values, uint32_t count) const;
    // Keys that are not there are passed over.
    Result<void> erase_batch(const void* keys, uint32_t count) const;

    using Chunk = std::function<void(const void* keys, const void* values, uint32_t count)>;
    // Hands over all entries, some at a time. Entries that change meanwhile may be missed.
    Result<void> read(const Chunk& chunk) const;

private:
    std::unexpected<Error> failed(const char* verb, int code) const;
    uint32_t chunk_size() const;

    Fd fd_;
    std::string name_;
    uint32_t type_ = 0;
    uint32_t key_size_ = 0;
    uint32_t value_size_ = 0;
    uint32_t row_size_ = 0;
    uint32_t capacity_ = 0;
    uint32_t id_ = 0;
};

} // namespace ebpfd
