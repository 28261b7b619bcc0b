// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "analysis/coverage.h"

#include <string>
#include <string_view>
#include <vector>

namespace ebpfd {

// What somebody should look at in a policy. A note is harmless: the same decisions would be made
// without the rule. A warning is not: a rule never does what its author meant.
struct Finding {
    enum class Level : uint8_t { note, warning };

    Level level = Level::warning;
    std::string code; // stable: "shadowed", "selects_no_pod", "contradiction" …
    Origin origin;
    std::string policy;
    std::string rule; // empty: the policy as a whole
    std::string text; // a sentence's rest: "selects no pod …"

    // "db.yaml:12: warning: shop/db ingress[0]: no pod is among its peers".
    std::string line() const;
};

std::string_view level_name(Finding::Level level);

// "shop/db ingress[0] (db.yaml:12)".
std::string place_text(const CoveredRule& rule);
// Why the rule never decides; "" for one that does.
std::string why_dead(const Coverage& coverage, const CoveredRule& rule);

// Of dead rules, contradictions and equal priorities, in the order of places. Isolation that
// never decides is no fault, and neither is one that leaves a pod without any peer.
std::vector<Finding> findings(const Coverage& coverage);

} // namespace ebpfd
