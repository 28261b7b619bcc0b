// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "datapath/bench.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <gtest/gtest.h>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace bench {

// A packet, and whether it passes under each side. Its sender's port is its number.
struct Probe {
    bool out; // sent by shop/web; else to it
    uint16_t number;
    lab::Bytes frame;
    std::array<bool, 2> passes;
};

// Two opposite policies that take turns as fast as they are applied on one core, while probes are
// judged on another: each verdict, and each record, must be one that its generation gives.
class Swaps {
public:
    Swaps();
    // Rules of side i have names that begin with name. friends: as of Bench::plan_of().
    void side(size_t i, const std::string& name, const std::string& policies,
              const std::set<std::string>& friends = {});
    void add(Probe probe) { probes_.push_back(std::move(probe)); }
    // EBPFD_SWAPS swaps, or a few; prints what was judged.
    testing::AssertionResult run();

private:
    struct Counts {
        uint64_t packets = 0;
        uint64_t across = 0; // judged while the generation flipped: by either
        uint64_t wrong = 0;
    };

    void swap(size_t times);
    void judge_all(const std::atomic<bool>& done);
    void judge(const Hook& hook, const Probe& probe);
    void check_records();
    std::string complaint_about(const ::event& record) const;
    void complain(const std::string& complaint);
    size_t side_of(uint32_t generation) const { return (generation - first_) & 1; }

    Bench bench_;
    std::array<ebpfd::Plan, 2> plans_;
    std::array<std::string, 2> names_;
    std::vector<Probe> probes_;
    uint32_t first_ = 0; // the generation of side 0 that came first
    std::map<uint32_t, std::map<uint32_t, std::string>> rules_; // of the last two generations
    Counts judged_;                                             // by the reader alone
    std::atomic<uint64_t> swapped_ = 0;
    uint64_t failed_ = 0;
    uint64_t records_ = 0;
    uint64_t wrong_records_ = 0;
    std::string complaints_; // of the writer
    std::string reader_complaints_;
};

} // namespace bench
