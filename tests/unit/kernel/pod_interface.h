// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "bpffs.h"
#include "kernel/datapath.h"
#include "lab/netns.h"
#include "plans.h"

#include <functional>
#include <memory>
#include <optional>
#include <vector>

// A veth pair in a namespace of its own; "web" is the end on the node.
class OnPodInterface : public testing::Test {
protected:
    void SetUp() override;
    // The web plan, for this interface.
    ebpfd::Plan plan() const;
    // Everything runs inside the namespace: interfaces are those of the agent's namespace.
    void inside(const std::function<void()>& function) { netns_->enter(function); }
    std::unique_ptr<ebpfd::Datapath> start(ebpfd::AttachMode mode);
    // The id of the program pinned under this name.
    uint32_t program_id(const std::string& name) const;
    // The ids of all programs at the interface's tc hooks, of links and filters.
    std::vector<uint32_t> attached() const;

    std::optional<lab::NetNamespace> netns_;
    Bpffs bpffs_;
    uint32_t ifindex_ = 0;
};
