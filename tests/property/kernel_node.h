// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "kernel/datapath.h"
#include "kernel/pinned.h"
#include "property/verdict.h"
#include "reference/judge.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace property {

// The loaded programs and maps of a node of its own: a network namespace that has the
// interfaces of every random world. Packets are run through the programs, never sent.
// Throws where the machine cannot do this: such a test fails, it does not skip.
class KernelNode {
public:
    KernelNode();
    ~KernelNode();
    KernelNode(const KernelNode&) = delete;
    KernelNode& operator=(const KernelNode&) = delete;

    void enforce(const ebpfd::Plan& plan);
    // As an agent that starts again: what is in force stays, and is adopted.
    void restart();
    // As policy trace asks it.
    Verdict traced(const reference::Packet& packet) const;
    // As from_pod or to_pod judge it; reason and rule by the exact counters.
    Verdict passed(const reference::Packet& packet);

private:
    struct Counts {
        endpoint_counters reasons{};                              // of the packet's endpoint
        std::map<uint32_t, std::pair<uint64_t, uint64_t>> rules; // allowed, denied
    };
    Counts counts(uint32_t ifindex) const;
    bool run(const reference::Packet& packet) const; // whether it passed
    void forget_flows() const;
    Verdict named(bool allow, reason why, uint32_t rule) const;
    Verdict turned(bool allow, reason why, uint32_t rule, uint32_t enforced_rule) const;
    std::string name_of(uint32_t rule) const;

    ebpfd::DatapathOptions options_;
    std::unique_ptr<ebpfd::Datapath> datapath_;
    std::unique_ptr<ebpfd::PinnedMaps> maps_;
    std::map<uint32_t, rule_info> rules_;
    std::map<uint32_t, uint32_t> endpoint_rows_; // by ifindex
};

} // namespace property
