// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "model/plan.h"

#include <cstdint>
#include <vector>

// Longest prefix match finds one entry: each entry must say all that holds there. A closure
// turns what the rules say one by one into such entries.
namespace ebpfd {

// A block of the rule that bit stands for. A rule may have many.
struct BlockBit {
    const IpBlock* block = nullptr;
    uint32_t bit = 0;
};

// Entries in the order of their prefixes. Wider blocks hold in narrower ones unless excepted;
// blocks of one family never reach into the other.
std::vector<PlanCidr> close_cidrs(const std::vector<BlockBit>& blocks);

// Ports of one protocol.
struct PortSpan {
    Protocol protocol = Protocol::tcp;
    PortRange range;
    auto operator<=>(const PortSpan&) const = default;
};

struct PortBit {
    PortSpan span;
    uint32_t bit = 0;
};

// Entries in the order of protocol, port and prefix; wider ranges hold in narrower ones.
std::vector<PlanPort> close_ports(const std::vector<PortBit>& spans);

// The same ports, sorted, without overlap and as few spans as possible.
std::vector<PortSpan> merged(std::vector<PortSpan> spans);

} // namespace ebpfd
