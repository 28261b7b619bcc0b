// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "analysis/atoms.h"
#include "model/plan.h"

#include <set>
#include <utility>
#include <vector>

namespace ebpfd {

// Which rules of a rule set ever decide, over all its atoms: those in force, and in a rehearsal
// those of dry-run policies. One that passes decides too, if it is the first of its tier that
// matches. The rule set must outlive it.
class Deciders {
public:
    Deciders(const PlanRuleset& ruleset, Atoms atoms);

    const Bitmap& deciding() const { return deciding_; }
    // Rules that match some packet.
    Bitmap matching() const;
    // Those that decide where `bit` matches and does not: the last one before it, each time.
    Bitmap instead_of(uint32_t bit) const;
    // Pairs of rules of two policies that match one packet and differ in their action: the former
    // decides over it, the latter would if its policy came first. policies: the bits of each, in
    // order.
    std::set<std::pair<uint32_t, uint32_t>>
    contradictions(const std::vector<Bitmap>& policies) const;

private:
    // Calls visit(matching bits, deciding bits) for each packet that can be told apart, until it
    // returns false.
    template <class Visit> void for_each_packet(const Bitmap& wanted, Visit visit) const;
    Bitmap walk(const Bitmap& matching) const;
    Bitmap decide(const Bitmap& matching) const;

    const PlanRuleset& ruleset_;
    Atoms atoms_;
    Bitmap deciding_{};
};

} // namespace ebpfd
