// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "bpffs.h"
#include "faults.h"
#include "kernel/datapath.h"
#include "lab/netns.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

// Three pods' interfaces, and two policies for them that differ in every table: rules, rule sets,
// peers, blocks, ports, services, addresses, and who is an endpoint.
class FaultScene : public testing::TestWithParam<ebpfd::AttachMode> {
protected:
    void SetUp() override;

    // web and old are endpoints; 10.1.0.20 is db, which reaches port 80.
    ebpfd::Plan first() const;
    // web and api are endpoints; db is 10.1.0.30 now, and reaches port 81.
    ebpfd::Plan second() const;

    ebpfd::Result<std::unique_ptr<ebpfd::Datapath>> open() const;
    // Runs inside the node's namespace, in whose terms interfaces are meant.
    void inside(const std::function<void()>& function) const { netns_->enter(function); }

    // What web is asked by whom: tells the policies, and mixtures of them, apart.
    std::vector<std::string> answers() const;
    // The pods that the policy of these answers has endpoints for.
    std::vector<std::string> endpoints_of(const std::vector<std::string>& answers) const;
    // Interfaces at which both hooks run a program.
    std::vector<std::string> enforced() const;
    // Whether links alone run them there.
    bool is_linked(const std::string& pod) const;
    void expect_in_force(const std::vector<std::string>& wanted) const;
    // The same after a crash: interfaces that were to come are already, or still, enforced.
    void expect_adopted(const std::vector<std::string>& wanted) const;
    // Puts both in force once, and leaves the first: what they answer is first_ and second_.
    void learn_answers();

    // As EBPFD_FAULTS in the environment asks for.
    static bool tries_all();
    // The fault of each call in turn: make(number) arms, acts, and says whether it came to that
    // call. Only every stride-th, unless all are to be tried.
    static void for_each_call(uint64_t stride, const std::function<bool(uint64_t number)>& make);
    // Whether the fault that this arms ended the child process in which it runs.
    static bool crashes(const std::function<void()>& act);

    Bpffs bpffs_;
    std::optional<lab::NetNamespace> netns_;
    std::map<std::string, uint32_t> interfaces_;
    std::vector<std::string> first_;
    std::vector<std::string> second_;
};

// "links", where the kernel has them, or "filters".
std::string mode_name(const testing::TestParamInfo<ebpfd::AttachMode>& mode);
