// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ebpfd/verdict.h"
#include "model/plan.h"
#include "policy/judge.h"

#include <cstdint>
#include <vector>

namespace ebpfd {

// A connection at one local pod's interface, in the direction in which it is opened.
struct PlanQuestion {
    uint32_t ifindex = 0;
    direction dir = DIRECTION_INGRESS;
    IpAddress pod{}; // the pod's end
    IpAddress peer{};
    uint8_t protocol = 6;
    uint16_t port = 0; // of the destination, host byte order; 0 for protocols without ports
    // The peer's address may be the node's, or the pod's own: as flow::believed.
    bool believed = true;
    bool operator==(const PlanQuestion&) const = default;
};

struct PlanDecision {
    reason why = REASON_NO_POLICY;
    const PlanRule* rule = nullptr; // that decided, of the Plan; nullptr: none
    // The first rule met of a dry-run policy where the rehearsal ends otherwise, and how it does.
    const PlanRule* watcher = nullptr;
    reason rehearsed = REASON_NO_POLICY;

    bool allows() const { return why < REASON_FIRST_DENIAL; }
};

// Judges connections by a Plan as the datapath does by the maps that hold it, without a kernel.
// Indexed by the order in which compile() returns a Plan's parts, so that it answers within a
// microsecond. The Plan must outlive it.
class PlanJudge {
public:
    explicit PlanJudge(const Plan& plan);
    PlanDecision judge(const PlanQuestion& question) const;
    // Of a local pod's interface; nullptr: there is none.
    const PlanEndpoint* endpoint(uint32_t ifindex) const;

private:
    bool is_spoofed(const PlanEndpoint& endpoint, const IpAddress& source) const;
    const PlanAddress* address(const IpAddress& wanted) const;
    const PlanService* service(const PlanQuestion& question) const;
    PlanDecision by_rules(uint32_t ruleset, const PlanQuestion& question) const;
    PlanDecision decide(uint32_t ruleset, const Bitmap& enforced, const Bitmap& all) const;
    PlanDecision ended(uint32_t ruleset, const Walk& walk) const;

    const Plan& plan_;
    std::vector<Judge> judges_; // by rule set
};

} // namespace ebpfd
