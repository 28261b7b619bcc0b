// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "kernel/adopt.h"
#include "kernel/attachment.h"
#include "kernel/changes.h"
#include "kernel/datapath.h"
#include "kernel/maps.h"
#include "kernel/state.h"

#include <chrono>
#include <map>
#include <set>
#include <string>

namespace ebpfd {

// The only writer of policy maps. Each apply is a transaction: numbers and rows are prepared in
// a copy of Applied, written where no packet looks, and put in force by one store.
class Applier {
public:
    Applier(const Maps& maps, State& state, Attachment& attachment, Adopted adopted)
        : maps_(maps), state_(state), attachment_(attachment), applied_(std::move(adopted.applied)),
          retirement_(std::move(adopted.unsettled)), stale_flows_(std::move(adopted.stale_flows))
    {
    }

    Result<ApplyReport> apply(const Plan& plan);
    // See Datapath::close().
    Result<ApplyReport> close(const std::vector<PlanEndpoint>& newcomers);
    // Makes both slots of everything equal and erases what no packet can use any more.
    Result<void> settle();
    // Puts the programs on all endpoints that have been adopted; failures are tried again by
    // apply. Returns what could not be done.
    std::vector<std::string> attach_all();

    // See Datapath::find_lost().
    std::map<uint32_t, std::string> find_lost(const Datapath::Interfaces& among);
    // See Datapath::ask_for_successors().
    void ask_for_successors(FindSuccessor find) { find_successor_ = std::move(find); }
    // See Datapath::forget().
    void forget(const std::set<uint32_t>& gone);

    const Applied& applied() const { return applied_; }
    // Flows without an endpoint are gone: interfaces may be used again freely.
    void flows_swept() { stale_flows_.clear(); }

private:
    using Clock = std::chrono::steady_clock;
    // Makes what next has the policy in force. begin: of all that led to it.
    Result<ApplyReport> change_to(Applied next, Clock::time_point begin);
    Result<void> check(const Changes& changes) const;
    Result<void> write(const Changes& changes);
    Result<void> write_rows(const Changes& changes) const;
    Result<void> clear_counters(const Changes& changes) const;
    Result<void> forget_flows(const Changes& changes);
    void take_back(const Changes& changes) noexcept;
    void put_in_force(Applied next, Changes& changes) noexcept;
    // Whether programs are on it now. It may have become another: then they are not.
    Result<bool> attach(uint32_t ifindex);
    void detach_gone(std::vector<std::string>& warnings);

    const Maps& maps_;
    State& state_;
    Attachment& attachment_;
    FindSuccessor find_successor_ = [](uint32_t) { return Successor::none; };
    Applied applied_;
    Retirement retirement_;
    std::set<uint32_t> gone_;        // interfaces to detach from; failures are tried again
    std::set<uint32_t> vanished_;    // those whose links' pins are left
    std::set<uint32_t> stale_flows_; // interfaces that may have flows of an earlier pod
};

} // namespace ebpfd
