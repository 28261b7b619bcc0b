// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "kernel/datapath.h"
#include "kernel/pinned.h"

#include <gtest/gtest.h>
#include <memory>
#include <string>

// A folder of its own on the bpf file system; everything in it goes with this object.
class Bpffs {
public:
    Bpffs();
    Bpffs(const Bpffs&) = delete;
    Bpffs& operator=(const Bpffs&) = delete;
    ~Bpffs();

    const std::string& path() const { return path_; }
    std::string maps() const { return path_ + "/maps"; }

private:
    std::string path_;
};

// The value of a result; an error fails the test.
template <class T> T value_of(ebpfd::Result<T> result)
{
    if (result)
        return std::move(*result);
    ADD_FAILURE() << result.error().message;
    return T{};
}

// Small tables: a test loads quickly and can fill them.
ebpfd::DatapathOptions small_options(const Bpffs& bpffs);
std::unique_ptr<ebpfd::Datapath> open_datapath(const Bpffs& bpffs);
std::unique_ptr<ebpfd::PinnedMaps> read_maps(const Bpffs& bpffs);

// Writes a flow, or a refusal, into the first free entry of the table: readers take it from any.
void add_flow(const Bpffs& bpffs, const flow_key& key, const flow& value,
              flow_class kind = FLOW_ENTRY_LASTING);
