// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/fd.h"
#include "ebpfd/event.h"
#include "ebpfd/verdict.h"
#include "kernel/datapath.h"
#include "kernel/pinned.h"
#include "lab/addresses.h"
#include "lab/packet.h"
#include "model/world.h"

#include <chrono>
#include <cstdint>
#include <gtest/gtest.h>
#include <memory>
#include <ostream>
#include <set>
#include <string>
#include <vector>

namespace bench {

// What became of one packet, told by the program's return value and the exact counters.
struct Judged {
    ::verdict outcome = VERDICT_ALLOW;
    ::reason why = REASON_NO_POLICY;

    bool operator==(const Judged&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Judged& judged);

inline constexpr Judged allowed_by(::reason why)
{
    return {VERDICT_ALLOW, why};
}
inline constexpr Judged denied_by(::reason why)
{
    return {VERDICT_DENY, why};
}

// A loaded program at an interface, to be run again and again, from any thread.
class Hook {
public:
    Hook(const std::string& bpffs, const char* program, uint32_t ifindex);
    bool passes(const lab::Bytes& frame, uint32_t ingress_ifindex = 0) const;

private:
    ebpfd::Fd program_;
    uint32_t ifindex_;
};

// The loaded programs with a node's maps around them: shop/web and shop/db are local pods with
// an interface each, ops/api and ops/scan run elsewhere. Packets are run, not sent.
class Bench {
public:
    Bench();
    ~Bench();

    // Puts these policies in force, YAML documents, instead of those before.
    void enforce(const std::string& policies);
    // What enforce() has put in force.
    const ebpfd::World& world() const { return world_; }
    // What they come to where these pods have the label "friend" besides.
    ebpfd::Plan plan_of(const std::string& policies,
                        const std::set<std::string>& friends = {}) const;
    ebpfd::Datapath& datapath() { return *datapath_; }
    // Loads afresh with other options; what was in force is gone.
    void reload(const ebpfd::DatapathOptions& options);
    ebpfd::DatapathOptions options() const;

    // A packet that the pod shop/web sends, or that arrives for it. ingress_ifindex: where the
    // packet came into the node; 0: it was made there.
    Judged from_web(const lab::Packet& packet);
    Judged from_web(const lab::Bytes& frame);
    Judged to_web(const lab::Packet& packet, uint32_t ingress_ifindex = 0);
    Judged to_web(const lab::Bytes& frame, uint32_t ingress_ifindex = 0);

    // The verdict alone, where others' packets are counted at the same time.
    bool passes_to_web(const lab::Packet& packet) const;

    // Packets that arrive for shop/web, as fast as they go, without a look at what becomes of
    // them. May be called from several threads.
    void flood_web(const std::vector<lab::Bytes>& frames) const;
    void watch(const ::watch& wanted) { datapath_->set_watch(wanted); }

    // from_pod or to_pod of that interface.
    Hook hook(const char* program, uint32_t ifindex) const { return {bpffs_, program, ifindex}; }
    uint32_t web_ifindex() const { return web_; }
    uint32_t db_ifindex() const { return db_; }
    // All records since the last call.
    std::vector<::event> events();
    ::ledger losses();
    ::ring_ledger losses_of(::ring which);
    std::vector<std::pair<::flow_key, ::flow>> flows();
    // Makes all flows look as if they had been silent for that much longer.
    void age_flows(std::chrono::nanoseconds time);
    // Frees what waits for an answer and what was refused, as the agent does in time.
    void forget_unanswered() const;
    // Forgets all that packets have left behind: flows, refusals, first fragments.
    void forget_all() const;
    ebpfd::PinnedMaps& maps() { return *maps_; }

private:
    ebpfd::World world_of(const std::string& policies,
                          const std::set<std::string>& friends = {}) const;
    Judged run(const char* program, ::direction dir, const lab::Bytes& frame,
               uint32_t ingress_ifindex);
    endpoint_counters counters();

    std::string bpffs_;
    ebpfd::World world_;
    uint32_t web_ = 0;
    uint32_t db_ = 0;
    std::unique_ptr<ebpfd::Datapath> datapath_;
    std::unique_ptr<ebpfd::PinnedMaps> maps_;
};

} // namespace bench
