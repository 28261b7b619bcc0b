// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/result.h"
#include "ebpfd/event.h"
#include "ebpfd/state.h"
#include "kernel/hook_kinds.h"
#include "model/plan.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace ebpfd {

// What is said of the rules that have a number; objects never change.
using RuleInfos = std::vector<std::pair<uint32_t, std::shared_ptr<const rule_info>>>;

// Entries each table can hold; the defaults stand in ebpfd --help.
struct Capacities {
    uint32_t flows = 262144;
    uint32_t fragments = 8192;
    uint32_t endpoints = 1024;
    uint32_t addresses = 131072;
    uint32_t services = 16384;
    uint32_t rulesets = 4096;
    uint32_t peers = 262144;
    uint32_t cidrs = 131072;
    uint32_t ports = 65536;
    uint32_t rules = 16384;
    uint32_t refusal_ring = 1 << 20; // bytes, a power of two
    uint32_t flow_ring = 4 << 20;
};

enum class AttachMode : uint8_t { automatic, tcx, clsact };

struct DatapathOptions {
    std::string bpffs; // folder on a bpf file system; made if missing
    Capacities capacities;
    bool audit = false; // entered at once, left by the first apply
    AttachMode attach = AttachMode::automatic;
};

// What has become of an interface that a plan means: its number may be another's by now.
enum class Successor : uint8_t { none, pods, others };
using FindSuccessor = std::function<Successor(uint32_t ifindex)>;

// What one apply did, for the log and the metrics.
struct ApplyReport {
    uint32_t generation = 0;        // in force afterwards
    uint32_t changes = 0;           // map entries written; 0: nothing differed, no flip
    bool endpoints_changed = false; // interfaces came or went, or have another pod
    std::chrono::nanoseconds write{};
    std::chrono::nanoseconds flip{};   // from the call to the store that switched the node
    std::vector<std::string> warnings; // interfaces that could not be attached, with reason
};

// The loaded programs and their maps, pinned below bpffs, and the only writer of policy maps.
// One thread may drain while another does all the rest.
class Datapath {
public:
    // Adopts what is pinned there, or loads and pins afresh. An Error's message is one
    // sentence that says what to do (no BTF, no ring buffer, capability, bpffs, layout).
    static Result<std::unique_ptr<Datapath>> open(const DatapathOptions& options);
    virtual ~Datapath() = default;

    // Makes the plan the node's policy: checks capacities, writes what differs into idle slots,
    // flips the generation, attaches new endpoints and detaches those that are gone. On an error
    // the previous policy stays in force. Where only descriptions changed (the line or file of a
    // rule, a name), the generation stays. Interfaces that could not be attached, or detached, are
    // tried again by the next apply.
    virtual Result<ApplyReport> apply(const Plan& plan) = 0;
    // Closes the interfaces among these that are new, or another pod's by now, beside what was
    // adopted and stays in force: for a start with a policy that cannot be applied. Where nothing
    // was adopted, nothing is done.
    virtual Result<ApplyReport> close(const std::vector<PlanEndpoint>& newcomers) = 0;
    // Closes an interface that nothing of ours is on, until an apply attaches it. From any thread.
    virtual Result<void> shut(uint32_t ifindex) = 0;
    // The same, faster, of one that has just come.
    virtual Result<void> shut_newcomer(uint32_t ifindex) = 0;
    // Interfaces; nothing: all of them.
    using Interfaces = std::optional<std::set<uint32_t>>;
    // Looks whether somebody has taken the programs from any of these, and names those: they are
    // open until the next apply, which attaches them again.
    virtual std::map<uint32_t, std::string> find_lost(const Interfaces& among) = 0;
    // Asked right before programs are put on an interface and once more after it. One that has a
    // successor gets none, until apply() is told of it: a pod's is closed, others' left alone.
    virtual void ask_for_successors(FindSuccessor find) = 0;
    // These interfaces have gone: to the next apply, one of such a number is another.
    virtual void forget(const std::set<uint32_t>& gone) = 0;
    // The last part of an apply, for when there is time: waits until no packet uses the previous
    // policy, most often less than a millisecond, then erases it. The next apply does it first if
    // nobody has.
    virtual Result<void> settle() = 0;

    virtual uint32_t generation() const = 0;
    // Of the plan that was applied last.
    virtual RuleInfos rules() const = 0;
    // "tcx" or "clsact".
    virtual std::string attach_mode() const = 0;
    // Waits up to timeout for records of both rings and hands each to sink; refusals first.
    // Returns how many there were.
    virtual Result<size_t> drain(std::chrono::milliseconds timeout,
                                 const std::function<void(ring, const event&)>& sink) = 0;
    // Records that drain() could not read, since the start.
    virtual uint64_t unreadable() const = 0;
    // From now on flows tell what this asks for. From any thread, one at a time.
    virtual void set_watch(const watch& wanted) = 0;
    // Removes flows that are closed or idle for too long; calls closed with a record of each.
    virtual Result<size_t> sweep(const std::function<void(const event&)>& closed) = 0;

    // Attaches the kernel hooks, for as long as this object lives. They have no part in
    // enforcement: hooks() says what does not work here.
    virtual void attach_hooks(const HookOptions& options) = 0;
    virtual std::vector<HookStatus> hooks() const = 0;

    // Removes links, filters, programs and maps below bpffs.
    static Result<void> detach(const std::string& bpffs);
};

} // namespace ebpfd
