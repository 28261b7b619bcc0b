// SPDX-License-Identifier: Apache-2.0
#include "earlier_layout.h"

#include "ebpfd/health.h"
#include "kernel/map.h"
#include "kernel/pins.h"

#include <array>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cstddef>
#include <vector>

using namespace ebpfd;

void set_layout(const Bpffs& bpffs, uint32_t layout)
{
    const auto map = value_of(Map<uint32_t, datapath_state>::open_pinned(bpffs.maps(), "state"));
    auto state = *value_of(map.lookup(0));
    state.layout = layout;
    ASSERT_TRUE(map.update(0, state));
}

void pin_again(int fd, const std::string& path)
{
    ASSERT_TRUE(unpin(path));
    ASSERT_EQ(bpf_obj_pin(fd, path.c_str()), 0);
}

void make_counters_rows(const Bpffs& bpffs, uint32_t endpoints)
{
    const uint32_t rows = endpoints * COUNTERS_PER_ENDPOINT;
    const Fd map(bpf_map_create(BPF_MAP_TYPE_PERCPU_ARRAY, "counter_map", 4, sizeof(counter), rows,
                                nullptr));
    ASSERT_TRUE(map);
    std::vector<counter> value(static_cast<size_t>(libbpf_num_possible_cpus()));
    for (uint32_t row = 0; row < rows; ++row) {
        value.front() = {row, row * 100};
        value.back() = {row, row * 100};
        ASSERT_EQ(bpf_map_update_elem(map.get(), &row, value.data(), BPF_ANY), 0);
    }
    pin_again(map.get(), bpffs.maps() + "/counter_map");
    make_health_shorter(bpffs, endpoints);
    set_layout(bpffs, ROWS_LAYOUT);
}

void make_health_shorter(const Bpffs& bpffs, uint32_t endpoints)
{
    constexpr size_t words = offsetof(pod_health, connects_unmeasured) / sizeof(uint64_t);
    const Fd map(bpf_map_create(BPF_MAP_TYPE_PERCPU_ARRAY, "pod_health_map", 4,
                                words * sizeof(uint64_t), endpoints, nullptr));
    ASSERT_TRUE(map);
    std::vector<std::array<uint64_t, words>> value(static_cast<size_t>(libbpf_num_possible_cpus()));
    for (uint32_t endpoint = 0; endpoint < endpoints; ++endpoint) {
        for (auto* cpu : {&value.front(), &value.back()}) {
            cpu->at(offsetof(pod_health, retransmissions) / sizeof(uint64_t)) = endpoint;
            cpu->at(offsetof(pod_health, kernel_drops) / sizeof(uint64_t)) = endpoint;
        }
        ASSERT_EQ(bpf_map_update_elem(map.get(), &endpoint, value.data(), BPF_ANY), 0);
    }
    pin_again(map.get(), bpffs.maps() + "/pod_health_map");
    set_layout(bpffs, SHORT_HEALTH_LAYOUT);
}
