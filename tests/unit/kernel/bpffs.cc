// SPDX-License-Identifier: Apache-2.0
#include "bpffs.h"

#include "kernel/map.h"

#include <unistd.h>

using namespace ebpfd;

Bpffs::Bpffs()
{
    static int count = 0;
    path_ = "/sys/fs/bpf/test-" + std::to_string(getpid()) + "-" + std::to_string(++count);
}

Bpffs::~Bpffs()
{
    const auto detached = Datapath::detach(path_);
    EXPECT_TRUE(detached) << detached.error().message;
}

DatapathOptions small_options(const Bpffs& bpffs)
{
    DatapathOptions options;
    options.bpffs = bpffs.path();
    options.capacities = {.flows = 256,
                          .fragments = 64,
                          .endpoints = 8,
                          .addresses = 64,
                          .services = 16,
                          .rulesets = 8,
                          .peers = 32,
                          .cidrs = 64,
                          .ports = 64,
                          .rules = 16,
                          .refusal_ring = 4096,
                          .flow_ring = 4096};
    return options;
}

std::unique_ptr<Datapath> open_datapath(const Bpffs& bpffs)
{
    return value_of(Datapath::open(small_options(bpffs)));
}

std::unique_ptr<PinnedMaps> read_maps(const Bpffs& bpffs)
{
    return value_of(PinnedMaps::open(bpffs.path()));
}

void add_flow(const Bpffs& bpffs, const flow_key& key, const flow& value, flow_class kind)
{
    const auto tags = value_of(Map<uint32_t, flow_tags>::open_pinned(bpffs.maps(), "flow_tag_map"));
    const auto entries = value_of(Map<uint32_t, flow_entry>::open_pinned(bpffs.maps(), "flow_map"));
    for (uint32_t number = 0; number < entries.capacity(); ++number) {
        auto bucket = value_of(tags.lookup(number / FLOW_WAYS)).value();
        uint32_t& tag = bucket.tag[number % FLOW_WAYS];
        if (tag != FLOW_ENTRY_FREE)
            continue;
        tag = kind;
        ASSERT_TRUE(entries.update(number, {.key = key, .pad = 0, .flow = value}));
        ASSERT_TRUE(tags.update(number / FLOW_WAYS, bucket));
        return;
    }
    ADD_FAILURE() << "the flow table is full";
}
