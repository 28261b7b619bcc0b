// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "bench/rivals.h"
#include "lab/process.h"

#include <memory>
#include <string>
#include <vector>

// The tools that load what else judges packets, and how their users change it.
namespace bench {

using Many = std::vector<Allowed>;
using Enforcement = std::shared_ptr<void>;

// All entries of a list are of one family.
lab::Family family_of(const Many& allowed);

// A command of the node's that reads a file of text: "nft -f", "ipset restore -file". Milliseconds
// from its start to its end.
double feed(const lab::Node& node, lab::Argv command, const std::string& text);

// What goes and what comes from one list to the next.
struct Difference {
    Many gone;
    Many come;

    Difference(const Many& now, const Many& next);
    // Whether to name what differs takes less than to say all anew.
    bool is_small(const Many& next) const { return gone.size() + come.size() < next.size(); }
};

Enforcement nft_sets(const lab::Node& node, const Many& allowed);
double change_nft_set(const lab::Node& node, const Enforcement& enforcement, const Many& now,
                      const Many& next);
// Without the state of connections: all rules with each packet to the pod.
Enforcement nft_linear(const lab::Node& node, const Many& allowed);

Enforcement iptables_linear(const lab::Node& node, const Many& allowed);
double change_iptables(const lab::Node& node, const Enforcement& enforcement, const Many& now,
                       const Many& next);
Enforcement iptables_sets(const lab::Node& node, const Many& allowed);
double change_ipset(const lab::Node& node, const Enforcement& enforcement, const Many& now,
                    const Many& next);

} // namespace bench
