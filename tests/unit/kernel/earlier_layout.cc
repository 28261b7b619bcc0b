// SPDX-License-Identifier: Apache-2.0
#include "earlier_layout.h"

#include "kernel/map.h"
#include "kernel/pins.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
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
    set_layout(bpffs, ROWS_LAYOUT);
}
