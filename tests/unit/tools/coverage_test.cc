// SPDX-License-Identifier: Apache-2.0
#include "tool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ebpfd::ctl {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

struct CoverageCommand : testing::Test {
    Tool tool;

    CoverageCommand()
    {
        tool.answers["/v1/policy/coverage"] = R"JSON({"rules": [
            {"namespace": "shop", "policy": "shop/db", "rule": "ingress[0]", "action": "allow",
             "file": "db.yaml", "line": 7, "tier": "NetworkPolicy", "mode": "dry-run",
             "allowed_connections": 3, "last_hit": "2026-01-02T03:04:05Z",
             "denied_packets": 0, "decides": "yes", "reason": "", "why": "", "shadowed_by": []},
            {"namespace": "shop", "policy": "shop/db", "rule": "ingress[1]", "action": "allow",
             "file": "db.yaml", "line": 9, "tier": "NetworkPolicy", "allowed_connections": 0,
             "denied_packets": 0, "decides": "never", "reason": "shadowed",
             "why": "shadowed by shop/db ingress[0] (db.yaml:7)", "shadowed_by": []},
            {"namespace": "shop", "policy": "shop/db,shop/all", "rule": "isolation",
             "action": "deny", "file": "db.yaml", "line": 1, "tier": "NetworkPolicy",
             "allowed_connections": 0, "denied_packets": 42, "decides": "yes", "why": ""},
            {"namespace": "ops", "policy": "ops/api", "rule": "ingress[0]", "action": "allow",
             "file": "api.yaml", "line": 3, "tier": "NetworkPolicy", "allowed_connections": null,
             "denied_packets": null, "decides": "not_on_this_node", "why": ""}],
            "contradictions": [{"priority": 5,
              "decides": {"policy": "ClusterNetworkPolicy/a", "rule": "ingress[0]",
                          "action": "deny", "file": "a.yaml", "line": 4},
              "loses": {"policy": "ClusterNetworkPolicy/b", "rule": "ingress[2]",
                        "action": "allow", "file": "b.yaml", "line": 8}}],
            "warnings": []})JSON";
    }
};

TEST_F(CoverageCommand, SaysWhoDecidesAndWhyNot)
{
    ASSERT_EQ(tool.run({"policy", "coverage"}), Exit::ok) << tool.err;
    EXPECT_THAT(
        tool.out,
        HasSubstr(
            "shop/db           ingress[0]  allow   dry-run  3     2026-01-02T03:04:05Z  yes"));
    EXPECT_THAT(tool.out, HasSubstr("never: shadowed by shop/db ingress[0] (db.yaml:7)"));
    EXPECT_THAT(tool.out, ContainsRegex("isolation   deny    -        42    -  +yes"));
    EXPECT_THAT(tool.out, ContainsRegex("-     -  +not on this node"));
    EXPECT_THAT(tool.out,
                HasSubstr("ClusterNetworkPolicy/a ingress[0] (deny, a.yaml:4) contradicts "
                          "ClusterNetworkPolicy/b ingress[2] (allow, b.yaml:8)"));
}

TEST_F(CoverageCommand, ShowsDeadRulesAlone)
{
    const Json rules = tool.json({"policy", "coverage", "--dead"})["rules"];
    ASSERT_EQ(rules.size(), 1u);
    EXPECT_EQ(rules[0]["rule"], "ingress[1]");
}

TEST_F(CoverageCommand, ShowsOneNamespaceOrOnePolicyWithItsIsolations)
{
    EXPECT_EQ(tool.json({"policy", "coverage", "-n", "ops"})["rules"].size(), 1u);
    EXPECT_EQ(tool.json({"policy", "coverage", "shop/all"})["rules"].size(), 1u);
    EXPECT_EQ(tool.json({"policy", "coverage", "db", "-n", "shop"})["rules"].size(), 3u);
}

TEST_F(CoverageCommand, AnUnknownPolicyIsNotFound)
{
    EXPECT_EQ(tool.run({"policy", "coverage", "shop/none"}), Exit::not_found);
    EXPECT_THAT(tool.err, HasSubstr("shop/none"));
    EXPECT_THAT(tool.out, Not(HasSubstr("POLICY")));
}

} // namespace
} // namespace ebpfd::ctl
