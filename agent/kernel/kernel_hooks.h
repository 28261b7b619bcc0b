// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/result.h"
#include "ebpfd/health.h"
#include "ebpfd/netns.h"
#include "kernel/applied.h"
#include "kernel/hook_kinds.h"
#include "kernel/map.h"
#include "kernel/pins.h"

#include <bpf/libbpf.h>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace ebpfd {

// The programs in the kernel beside the packet path. They share maps with the datapath and live
// as long as this object: their links are not pinned, since without an agent nobody would keep
// up whose namespace is whose.
class KernelHooks {
public:
    // Attaches what works here. Nothing of it can fail the datapath: status() says what is missing.
    static std::unique_ptr<KernelHooks> attach(const HookOptions& options, const Pins& pins);

    const std::vector<HookStatus>& status() const { return status_; }
    // Learns the namespaces at the other ends of these interfaces.
    // moves: of some that it knows as well, since an interface's other end may move at any time: at
    // each such turn of those that are new, as runtimes make both ends in one namespace, of others
    // at one turn in six.
    Result<void> follow(const EndpointRows& endpoints, bool moves);

private:
    struct CloseObject {
        void operator()(bpf_object* object) const { bpf_object__close(object); }
    };
    struct DestroyLink {
        void operator()(bpf_link* link) const { bpf_link__destroy(link); }
    };
    using Object = std::unique_ptr<bpf_object, CloseObject>;
    using Links = std::vector<std::unique_ptr<bpf_link, DestroyLink>>;
    using Owners = std::map<uint64_t, netns_owner>;

    explicit KernelHooks(Pins pins) : pins_(std::move(pins)) {}
    Result<void> prepare_namespaces();
    void attach_usual(const std::vector<const HookKind*>& kinds);
    void attach_by_any(const HookKind& kind, HookAttach by);
    Result<void> attach_way(const bpf_object& object, const HookWay& way);
    Result<Object> load(const std::vector<const char*>& programs) const;
    bool has(const char* name) const;
    struct Answer {
        std::shared_ptr<const endpoint_name> asked_for;
        uint32_t index = 0;
        netns_query namespaces{};
        unsigned turn = 0; // in which it was first so
    };
    Result<void> ask(const EndpointRows& endpoints, bool moves);
    bool is_due(size_t place, const Answer& answer) const;
    Owners find_owners() const;

    Pins pins_;
    Object finder_; // of find_netns
    Map<uint64_t, netns_owner> namespaces_;
    std::map<uint32_t, Answer> answers_; // by ifindex
    unsigned turn_ = 0;
    Owners owners_; // as namespaces_ has them
    Links links_;
    std::vector<HookStatus> status_;
};

} // namespace ebpfd
