// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "analysis/connection.h"
#include "analysis/workload_selectors.h"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace ebpfd {

// Ports of one protocol in a row; from 0 on all of them.
struct PortSpanOf {
    uint8_t protocol = 6;
    uint16_t first = 0;
    uint16_t last = 0;
    auto operator<=>(const PortSpanOf&) const = default;
};

// One rule: what was seen between a workload and one other, or the outside by the same ports.
struct SuggestedRule {
    std::optional<Workload> pods; // the other workload, of this selector; nothing: blocks
    WorkloadSelector selector;
    std::vector<Cidr> blocks;
    std::vector<std::string> names; // of the blocks: nodes and services, where they are known
    bool anywhere = false;          // so many addresses that the blocks hold all of their family
    bool every_port = false;        // there was traffic without ports, which no port lets in
    std::vector<PortSpanOf> ports;
    size_t flows = 0;
    int64_t seen_ns = 0; // last
};

// A NetworkPolicy for one workload with pods on this node.
struct Suggestion {
    Workload workload;
    std::string name;
    WorkloadSelector selector;
    size_t local_pods = 0;
    size_t flows = 0;
    // By direction; nothing: nothing was seen, and it stays open.
    std::array<std::optional<std::vector<SuggestedRule>>, DIRECTION_COUNT> rules{};
};

struct SuggestionScope {
    std::optional<std::string> in_namespace;
    std::optional<std::string> workload; // its name
    bool isolate = false;                // also in directions, and pods, where nothing was seen

    bool holds(const Workload& one) const
    {
        return (!in_namespace || one.in_namespace == *in_namespace) &&
               (!workload || one.name == *workload);
    }
};

// The least that lets these connections be, one policy a workload in the order of their names.
// What needs no rule gets none: a pod's own node, and itself.
std::vector<Suggestion> suggest(std::span<const Connection> connections, const AddressBook& book,
                                const SuggestionScope& scope);

// As YAML that kubectl applies, in ASCII, with comments that say what each rule rests on. One
// document, with "---" in front.
std::string yaml_of(const Suggestion& suggestion);

} // namespace ebpfd
