// SPDX-License-Identifier: Apache-2.0
#include "system/world.h"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace system_test {
namespace {

using testing::HasSubstr;
using Json = nlohmann::json;

class Analysis : public OnNode {
protected:
    // The row of a rule as `policy coverage` shows it; empty, with a failure, if there is none.
    Json row(const std::string& policy, const std::string& rule)
    {
        const auto answer =
            Json::parse(agent().ask({"policy", "coverage", "-o", "json"}), nullptr, false);
        if (!answer.is_discarded())
            for (const Json& one : answer["rules"])
                if (one["policy"] == policy && one["rule"] == rule)
                    return one;
        ADD_FAILURE() << policy << " " << rule << ": " << answer.dump();
        return {};
    }
};
INSTANTIATE_TEST_SUITE_P(Policy, Analysis, testing::Values(std::tuple{Wiring::routed, Family::v4}),
                         node_name);

TEST_P(Analysis, CountsWhatRulesDecideAndNamesThoseThatNeverDo)
{
    enforce({policy("shop/db", "{podSelector: {matchLabels: {app: db}}, ingress: ["
                               "{ports: [{port: 80}]}, "
                               "{from: [{podSelector: {}}], ports: [{port: 80}]}, "
                               "{ports: [{port: nowhere}]}]}"),
             policy("shop/nobody", "{podSelector: {matchLabels: {app: nobody}}}")});
    EXPECT_TRUE(traffic({yes("web", "db", 80), no("web", "db", 8080)}));

    const Json first = row("shop/db", "ingress[0]");
    EXPECT_EQ(first["decides"], "yes");
    EXPECT_EQ(first["allowed_connections"], 1);
    EXPECT_GE(row("shop/db", "isolation")["denied_packets"], 1);
    const Json second = row("shop/db", "ingress[1]");
    EXPECT_EQ(second["decides"], "never");
    EXPECT_EQ(second["reason"], "shadowed");
    EXPECT_EQ(second["shadowed_by"][0]["rule"], "ingress[0]");
    EXPECT_EQ(row("shop/db", "ingress[2]")["reason"], "unresolved_port");
    EXPECT_EQ(row("shop/nobody", "isolation")["reason"], "selects_no_pod");

    const auto table = agent().ask({"policy", "coverage", "--dead"});
    EXPECT_THAT(table, HasSubstr("never: shadowed by shop/db ingress[0] ("));
    EXPECT_THAT(table, HasSubstr("never: its policy selects no pod"));
}

TEST_P(Analysis, ExplainsWhatAppliesAndWhoIsAllowed)
{
    enforce({policy("shop/db", "{podSelector: {matchLabels: {app: db}}, ingress: ["
                               "{from: [{podSelector: {matchLabels: {app: web}}}], "
                               "ports: [{port: 80}]}]}")});
    EXPECT_TRUE(traffic({yes("web", "db", 80), no("api", "db", 80)}));
    const auto words = agent().ask({"policy", "explain", "shop/db"});
    EXPECT_THAT(words, HasSubstr("isolated by shop/db: everything else is refused"));
    EXPECT_THAT(words, HasSubstr("from pods app=web on 80/TCP  [ingress[0], "));
    EXPECT_THAT(words, HasSubstr("shop/web (1 pod)"));
    EXPECT_THAT(words, testing::Not(HasSubstr("ops/api (1 pod)  every port  shop/db")));
    const auto egress =
        agent().ask({"policy", "explain", "shop/db", "--direction", "egress", "-o", "json"});
    EXPECT_THAT(egress, HasSubstr("\"everything else is allowed\""));
    EXPECT_THAT(egress, testing::Not(HasSubstr("\"ingress\"")));
    EXPECT_EQ(agent().ctl({"policy", "explain", "shop/none"}).exit, exit_not_found);
}

} // namespace
} // namespace system_test
