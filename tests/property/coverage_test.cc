// SPDX-License-Identifier: Apache-2.0
#include "analysis/coverage.h"
#include "policy/compile.h"
#include "property/check.h"
#include "property/scenario.h"
#include "property/verdict.h"

#include <fmt/format.h>
#include <map>

using namespace ebpfd;

namespace property {

static constexpr int worlds = 10000;

// The same rule may be there twice, under one name: it lives if one of them does.
static std::map<std::string, Fate> fates(const Coverage& coverage)
{
    std::map<std::string, Fate> result;
    for (const CoveredRule& rule : coverage.rules) {
        const auto name =
            rule_name(rule.kind, rule.dir, rule.policy_namespace, rule.policy, rule.index);
        const auto [known, fresh] = result.try_emplace(name, rule.fate);
        if (!fresh)
            known->second = std::min(known->second, rule.fate);
    }
    return result;
}

TEST(Coverage, NoRuleThatDecidesIsCalledDead)
{
    size_t dead = 0, deciding = 0;
    check(worlds, [&](const Scenario& scenario) {
        const auto plan = compile(scenario.world);
        if (!plan)
            RC_FAIL("compile: " + plan.error().message);
        const auto known = fates(cover(scenario.world));
        for (const auto& [name, fate] : known)
            ++(is_dead(fate) ? dead : deciding);
        for (const reference::Packet& packet : scenario.packets) {
            const Verdict verdict = of_reference(scenario.world, packet);
            if (verdict.rule.empty())
                continue;
            const auto found = known.find(verdict.rule);
            if (found == known.end())
                RC_FAIL(fmt::format("{}: {} is not listed", describe(packet), verdict.rule));
            if (found->second != Fate::decides)
                RC_FAIL(fmt::format("{}\n  decided by {}, which is called {}", describe(packet),
                                    verdict.rule, fate_name(found->second)));
        }
    });
    EXPECT_GT(dead, size_t{worlds});
    EXPECT_GT(deciding, size_t{worlds});
}

} // namespace property
