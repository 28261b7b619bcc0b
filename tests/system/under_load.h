// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ebpfd/counter.h"
#include "kernel/pinned.h"
#include "lab/load.h"
#include "system/world.h"

#include <cstdint>
#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <tuple>

namespace system_test {

// What the datapath has counted, by names that a restart does not change.
struct Statistics {
    std::map<std::string, rule_hits> rules;  // by policy, kind, rule, direction
    std::map<std::string, counter> counters; // by pod and row
    ledger losses{};

    uint64_t opened(const std::string& policy) const;
    uint64_t denied(const std::string& pod) const; // packets
};

// A policy before all NetworkPolicies that keeps everybody from that port of app db, TCP and UDP.
PolicyFile guard(const std::string& name, uint16_t port);

// The kernel's ids of what is pinned in a folder, by name.
std::map<std::string, uint32_t> ids_in(const std::filesystem::path& folder);

// A node of its own whose pods talk all the time, whatever becomes of its agent: 1,000 connections
// that stay open, new ones, and attempts that policy refuses, at the receiver or at the sender.
class UnderLoad : public testing::TestWithParam<std::tuple<std::string, Family>> {
protected:
    static constexpr size_t connections = 1000;
    static constexpr uint16_t open_port = 7000;
    static constexpr uint16_t new_port = 7001;     // TCP and UDP
    static constexpr uint16_t refused_port = 7002; // TCP and UDP

    UnderLoad();
    void SetUp() override;
    void TearDown() override;
    static std::string way() { return std::get<0>(GetParam()); }
    static Family family() { return std::get<1>(GetParam()); }
    Agent& agent() { return world_->agent(); }
    const lab::Machine& machine(const std::string& name) { return world_->machine(name); }
    lab::Route route(const std::string& from, const std::string& to, Transport transport,
                     uint16_t port);

    // Before begin(): what else is to be tried.
    lab::Load& load() { return *load_; }
    // The policies that the load is made for, and a file with a rule of its own for each number.
    static std::vector<PolicyFile> policies();
    static PolicyFile change(unsigned number);
    bool begin();
    bool start(const std::string& attach = way());
    void launch(const std::string& attach = way());
    // Of a process that runs, at once.
    void kill_agent();
    // Waits until its links, or filters, are all in place.
    bool is_attached(const std::string& attach = way());
    // How often each program is attached in which way: "from_pod tcx".
    std::map<std::string, int> attached() const;
    uint32_t generation() const;
    Statistics statistics() const;
    // That nothing went wrong so far.
    testing::AssertionResult is_well() const;
    lab::Milliseconds any_time(int up_to);

    uint32_t max_flows_ = 65536; // before begin()
    std::mt19937 random_;
    std::unique_ptr<World> world_;
    std::unique_ptr<lab::Load> load_;
};

std::string load_name(const testing::TestParamInfo<std::tuple<std::string, Family>>& info);
// The ways to attach that this kernel has, with both families.
std::vector<std::tuple<std::string, Family>> ways_and_families();
// The same ways, each with one family.
std::vector<std::tuple<std::string, Family>> every_way_once();

} // namespace system_test
