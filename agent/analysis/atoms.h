// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ebpfd/verdict.h"
#include "model/plan.h"
#include "policy/identities.h"

#include <optional>
#include <utility>
#include <vector>

namespace ebpfd {

// What one rule set can tell apart: every packet has the rules of one peer and one port in
// common, and there is a packet for each pair. Without doubles, in no order.
struct Atoms {
    std::vector<Bitmap> peers;
    std::vector<Bitmap> ports;    // the rules for every port included
    std::vector<Bitmap> services; // final: the port plays no part
};

// Finds the atoms of rule sets of one world. Nobody else's address is left out, so a block that
// holds nothing but pods and, for ingress, this node has no outside.
class AtomFinder {
public:
    AtomFinder(const World& world, const Identities& identities);
    Atoms find(const PlanRuleset& ruleset, direction dir) const;
    // The blocks in which addresses outside of the cluster find themselves, and in no narrower
    // one: indexes into the rule set's blocks + 1, or 0 for what lies in none.
    std::vector<size_t> outsides(const PlanRuleset& ruleset, direction dir) const;

private:
    using Owned = std::pair<IpAddress, std::optional<uint32_t>>; // nothing: this node's

    void add_rows(const PlanRuleset& ruleset, std::vector<Bitmap>& peers) const;
    void add_blocks(const PlanRuleset& ruleset, direction dir, std::vector<Bitmap>& peers) const;

    size_t identity_count_;
    std::vector<Owned> addresses_; // sorted
};

} // namespace ebpfd
