// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ebpfd/ruleset.h"
#include "ebpfd/verdict.h"
#include "model/address.h"
#include "model/objects.h"

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

// What the numbers in a record stand for, at one moment: plain data, never changed.
namespace ebpfd {

struct PodName {
    std::string pod_namespace;
    std::string pod;
    std::string interface;                  // of a local pod, on the host side; else empty
    std::shared_ptr<const Labels> labels{}; // the pod's own; nullptr: not known
};

struct RuleName {
    std::string policy_namespace;
    std::string policy; // of an isolation: the policies, comma-separated
    rule_kind kind = RULE_NETWORK_POLICY;
    direction dir = DIRECTION_INGRESS;
    uint16_t index = 0;
    std::string file;
    uint32_t line = 0;

    // "ns/name", or "ns/a,ns/b" for an isolation by several; no policy lets a pod reach itself.
    std::string policy_text() const;
    // "ingress[0]", "isolation" or "self".
    std::string rule_text() const;
};

// The names of addresses. A copy shares most of them: what differs lies beside, until it is much.
class AddressNames {
public:
    using Name = std::shared_ptr<const PodName>;

    // nullptr: not known.
    Name find(const IpAddress& address) const;
    // For a change; nullptr: not known any more.
    Name& operator[](const IpAddress& address) { return changed_[address]; }
    // Gathers what differs if it is much by now.
    void settle();
    template <class Visit> void for_each(Visit visit) const
    {
        for (const auto& [address, name] : *all_)
            if (!changed_.contains(address))
                visit(address, *name);
        for (const auto& [address, name] : changed_)
            if (name != nullptr)
                visit(address, *name);
    }

private:
    using Map = std::unordered_map<IpAddress, Name>;
    std::shared_ptr<const Map> all_ = std::make_shared<Map>();
    Map changed_;
};

struct Names {
    std::unordered_map<uint32_t, std::shared_ptr<const PodName>> interfaces; // by ifindex
    AddressNames addresses;
    std::unordered_map<uint32_t, std::shared_ptr<const RuleName>> rules; // by number
    // The running kernel's words for why it drops packets; the same as long as it runs.
    std::unordered_map<uint32_t, std::shared_ptr<const std::string>> drop_reasons;
};

} // namespace ebpfd
