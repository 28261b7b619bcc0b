// SPDX-License-Identifier: Apache-2.0
#include "analysis/findings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ebpfd {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

CoveredRule rule(const std::string& policy, uint16_t index, Fate fate,
                 rule_action action = ACTION_ALLOW)
{
    return {.policy_namespace = "shop",
            .policy = policy,
            .index = index,
            .action = action,
            .origin = {"a.yaml", 10u + index, 1},
            .fate = fate,
            .shadowed_by = {}};
}

std::vector<std::string> lines(const Coverage& coverage)
{
    std::vector<std::string> result;
    for (const Finding& finding : findings(coverage))
        result.push_back(finding.line());
    return result;
}

TEST(Findings, LivingRulesAreNone)
{
    EXPECT_THAT(
        lines({.rules = {rule("db", 0, Fate::decides), rule("db", 1, Fate::not_on_this_node)},
               .contradictions = {},
               .warnings = {}}),
        IsEmpty());
}

TEST(Findings, AShadowOfTheSameActionIsANote)
{
    Coverage coverage{.rules = {rule("db", 0, Fate::decides), rule("db", 1, Fate::shadowed)},
                      .contradictions = {},
                      .warnings = {}};
    coverage.rules[1].shadowed_by = {0};
    EXPECT_THAT(lines(coverage), ElementsAre("a.yaml:11: note: shop/db ingress[1]: not needed: "
                                             "shadowed by shop/db ingress[0] (a.yaml:10)"));
    coverage.rules[0].action = ACTION_DENY;
    EXPECT_THAT(lines(coverage),
                ElementsAre("a.yaml:11: warning: shop/db ingress[1]: never "
                            "decides: shadowed by shop/db ingress[0] (a.yaml:10)"));
}

TEST(Findings, ManyShadowsAreCounted)
{
    Coverage coverage;
    for (uint16_t index = 0; index < 5; ++index)
        coverage.rules.push_back(rule("db", index, Fate::decides));
    coverage.rules.push_back(rule("db", 5, Fate::shadowed));
    coverage.rules.back().shadowed_by = {0, 1, 2, 3, 4};
    EXPECT_THAT(lines(coverage), ElementsAre(testing::HasSubstr("(a.yaml:12) and 2 more")));
}

TEST(Findings, APolicyThatSelectsNobodyIsSaidOnce)
{
    EXPECT_THAT(
        lines({.rules = {rule("db", 0, Fate::selects_no_pod), rule("db", 1, Fate::selects_no_pod)},
               .contradictions = {},
               .warnings = {}}),
        ElementsAre("a.yaml:10: warning: shop/db: selects no pod for ingress"));
}

TEST(Findings, IsolationThatNeverDecidesIsNoFault)
{
    CoveredRule isolation = rule("db", 0, Fate::shadowed, ACTION_DENY);
    isolation.kind = RULE_ISOLATION;
    EXPECT_THAT(lines({.rules = {isolation}, .contradictions = {}, .warnings = {}}), IsEmpty());
}

TEST(Findings, EqualPrioritiesAreNotedAndContradictionsWarnedOf)
{
    Coverage coverage{
        .rules = {rule("a", 0, Fate::decides, ACTION_DENY), rule("b", 1, Fate::decides)},
        .contradictions = {{0, 1}},
        .warnings = {}};
    for (CoveredRule& one : coverage.rules) {
        one.kind = RULE_CLUSTER_POLICY;
        one.policy_namespace = "ClusterNetworkPolicy";
        one.priority = 7;
    }
    EXPECT_THAT(lines(coverage),
                ElementsAre("a.yaml:11: warning: ClusterNetworkPolicy/b ingress[1]: allow "
                            "contradicts deny of ClusterNetworkPolicy/a ingress[0] (a.yaml:10), "
                            "which has the same priority, 7, and comes first only by its name",
                            "a.yaml:11: note: ClusterNetworkPolicy/b: has the same priority as "
                            "ClusterNetworkPolicy/a, 7"));
}

} // namespace
} // namespace ebpfd
