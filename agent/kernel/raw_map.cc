// SPDX-License-Identifier: Apache-2.0
#include "kernel/raw_map.h"

#include <algorithm>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cerrno>
#include <vector>

namespace ebpfd {

namespace {

bool is_per_cpu(uint32_t type)
{
    return type == BPF_MAP_TYPE_PERCPU_ARRAY || type == BPF_MAP_TYPE_PERCPU_HASH ||
           type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
}

} // namespace

Result<RawMap> RawMap::open_pinned(const std::string& folder, const std::string& name,
                                   uint32_t file_flags)
{
    LIBBPF_OPTS(bpf_obj_get_opts, options, .file_flags = file_flags);
    RawMap map;
    map.name_ = name;
    map.fd_ = Fd(bpf_obj_get_opts((folder + "/" + name).c_str(), &options));
    if (!map.fd_)
        return map.failed("open", errno);
    bpf_map_info info{};
    uint32_t size = sizeof(info);
    if (bpf_obj_get_info_by_fd(map.fd(), &info, &size) != 0)
        return map.failed("describe", errno);
    map.type_ = info.type;
    map.key_size_ = info.key_size;
    map.value_size_ = info.value_size;
    map.row_size_ = info.value_size;
    if (is_per_cpu(info.type)) {
        const int cpus = libbpf_num_possible_cpus();
        if (cpus <= 0)
            return fail_errno("count CPUs", cpus);
        map.row_size_ = (info.value_size + 7) / 8 * 8 * static_cast<uint32_t>(cpus);
    }
    map.capacity_ = info.max_entries;
    map.id_ = info.id;
    return map;
}

std::unexpected<Error> RawMap::failed(const char* verb, int code) const
{
    return fail_errno(std::string(verb) + " " + name_, code);
}

Result<bool> RawMap::lookup(const void* key, void* value) const
{
    if (bpf_map_lookup_elem(fd(), key, value) == 0)
        return true;
    if (errno == ENOENT)
        return false;
    return failed("read", errno);
}

Result<void> RawMap::lookup_rows(uint32_t first, uint32_t count, void* values) const
{
    LIBBPF_OPTS(bpf_map_batch_opts, options);
    // The kernel begins behind the key it is given, at row 0 if there is none.
    uint32_t before = first - 1;
    uint32_t last = 0;
    std::vector<uint32_t> keys(count);
    uint32_t done = count;
    const int outcome = bpf_map_lookup_batch(fd(), first == 0 ? nullptr : &before, &last,
                                             keys.data(), values, &done, &options);
    if (outcome != 0 && errno != ENOENT)
        return failed("read", errno);
    if (done != count)
        return failed("read", ENOENT);
    return {};
}

Result<void> RawMap::update(const void* key, const void* value) const
{
    if (bpf_map_update_elem(fd(), key, value, BPF_ANY) != 0)
        return failed("update", errno);
    return {};
}

Result<void> RawMap::update_batch(const void* keys, const void* values, uint32_t count) const
{
    if (count == 0)
        return {};
    LIBBPF_OPTS(bpf_map_batch_opts, options);
    if (bpf_map_update_batch(fd(), keys, values, &count, &options) != 0)
        return failed("update", errno);
    return {};
}

Result<void> RawMap::erase_batch(const void* keys, uint32_t count) const
{
    const auto* next = static_cast<const char*>(keys);
    while (count > 0) {
        LIBBPF_OPTS(bpf_map_batch_opts, options);
        uint32_t done = count;
        if (bpf_map_delete_batch(fd(), next, &done, &options) == 0)
            return {};
        if (errno != ENOENT)
            return failed("delete from", errno);
        // The kernel stopped at a key that is not there: go on behind it.
        const uint32_t passed = std::min(done + 1, count);
        next += size_t{passed} * key_size_;
        count -= passed;
    }
    return {};
}

uint32_t RawMap::chunk_size() const
{
    constexpr uint32_t bytes = 256 << 10;
    return std::clamp<uint32_t>(bytes / (key_size_ + row_size_), 32, 4096);
}

Result<void> RawMap::read(const Chunk& chunk) const
{
    uint32_t room = chunk_size();
    std::vector<char> keys(size_t{room} * key_size_);
    std::vector<char> values(size_t{room} * row_size_);
    std::vector<char> position(std::max<size_t>(key_size_, sizeof(uint64_t)));
    // A tree that is changed meanwhile may send the walk back: it ends in any case.
    uint64_t left = uint64_t{capacity_} * 2 + room;
    for (bool first = true; left > 0;) {
        LIBBPF_OPTS(bpf_map_batch_opts, options);
        uint32_t count = room;
        const int outcome =
            bpf_map_lookup_batch(fd(), first ? nullptr : position.data(), position.data(),
                                 keys.data(), values.data(), &count, &options);
        if (outcome != 0 && errno == ENOSPC) { // a bucket is longer than the chunk
            room *= 2;
            keys.resize(size_t{room} * key_size_);
            values.resize(size_t{room} * row_size_);
            continue;
        }
        const bool end = outcome != 0 && errno == ENOENT;
        if (outcome != 0 && !end)
            return failed("read", errno);
        chunk(keys.data(), values.data(), count);
        if (end)
            break;
        first = false;
        left -= std::min<uint64_t>(left, std::max<uint32_t>(count, 1));
    }
    return {};
}

} // namespace ebpfd
