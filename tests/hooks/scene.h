// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "kernel/datapath.h"
#include "kernel/pinned.h"
#include "lab/node.h"

#include <gtest/gtest.h>
#include <memory>
#include <set>
#include <string>
#include <vector>

// Three pods of a node, of which the agent knows web and db, with the kernel hooks attached in
// the way that the environment names (EBPFD_HOOK_ATTACH: auto, tp_btf, fentry or kprobe).
class Scene : public testing::Test {
protected:
    void SetUp() override;
    void TearDown() override;

    const lab::Machine& web() const { return node_->pod("web"); }
    const lab::Machine& db() const { return node_->pod("db"); }
    const lab::Machine& stranger() const { return node_->pod("stranger"); }
    lab::Node& node() { return *node_; }
    ebpfd::Datapath& datapath() { return *datapath_; }
    ebpfd::PinnedMaps& maps() { return *maps_; }
    std::string bpffs() const { return bpffs_; }

    // What is asked for by the environment.
    static ebpfd::HookAttach attach();
    // Puts these pods' interfaces under the datapath; nothing is allowed from those in closed,
    // everything from and to the others.
    void enforce(const std::vector<std::string>& pods, const std::set<std::string>& closed = {});
    void attach_hooks(const ebpfd::HookOptions& options);
    // One turn of the agent's: old flows go, namespaces are learnt.
    void sweep();

    ::pod_health of(const std::string& pod) const;
    // Packets of the pod that the kernel dropped for the reason of that name.
    uint64_t drops(const std::string& pod, const std::string& reason) const;
    // All of them, for the reader of a failed test.
    std::string drops_text(const std::string& pod) const;
    // Of the pod's only flow with that port of its peer's, or of its own.
    ::health flow_to(const std::string& pod, uint16_t port) const;
    // All records since the last call.
    std::vector<::event> events();

private:
    uint32_t index_of(const std::string& pod) const;

    std::unique_ptr<lab::Node> node_;
    std::string bpffs_;
    std::unique_ptr<ebpfd::Datapath> datapath_;
    std::unique_ptr<ebpfd::PinnedMaps> maps_;
    ebpfd::DropReasons reasons_;
};

uint64_t entries(const ::histogram& histogram);
