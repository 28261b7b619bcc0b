// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "kernel/map.h"

#include <bpf/libbpf.h>

namespace ebpfd {

// An array map with one value of V for each possible CPU. sizeof(V) is a multiple of 8, as
// the kernel lays the values out.
template <class V> class PerCpuArray {
    static_assert(sizeof(V) % 8 == 0);

public:
    static Result<PerCpuArray> open_pinned(const std::string& folder, const std::string& name,
                                           uint32_t file_flags = 0)
    {
        auto map = Map<uint32_t, V>::open_pinned(folder, name, file_flags);
        if (!map)
            return std::unexpected(map.error());
        const int cpus = libbpf_num_possible_cpus();
        if (cpus <= 0)
            return fail_errno("count CPUs", cpus);
        PerCpuArray array;
        array.map_ = std::move(*map);
        array.cpus_ = static_cast<size_t>(cpus);
        return array;
    }

    const RawMap& raw() const { return map_.raw(); }
    uint32_t capacity() const { return map_.capacity(); }

    // The values of all CPUs; ENOENT for a row behind the end.
    Result<std::vector<V>> row(uint32_t number) const
    {
        std::vector<V> values(cpus_);
        auto found = map_.raw().lookup(&number, values.data());
        if (!found)
            return std::unexpected(found.error());
        if (!*found)
            return fail_errno("read row " + std::to_string(number) + " of " + raw().name(), ENOENT);
        return values;
    }
    size_t cpus() const { return cpus_; }
    // values: one for each possible CPU.
    Result<void> set(uint32_t number, const std::vector<V>& values) const
    {
        return map_.raw().update(&number, values.data());
    }
    Result<void> clear(uint32_t number) const { return set(number, std::vector<V>(cpus_)); }

private:
    Map<uint32_t, V> map_;
    size_t cpus_ = 0;
};

} // namespace ebpfd
