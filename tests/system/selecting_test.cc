// SPDX-License-Identifier: Apache-2.0
#include "system/world.h"

namespace system_test {
namespace {

class Selecting : public OnNode {};
INSTANTIATE_TEST_SUITE_P(Policy, Selecting, every_node, node_name);

TEST_P(Selecting, EmptyPodSelectorSelectsItsNamespaceOnly)
{
    enforce({policy("shop/deny", "{podSelector: {}, policyTypes: [Ingress]}")});
    EXPECT_TRUE(traffic({no("api", "web", 80), no("api", "db", 80), no("web", "db", 80),
                         yes("web", "api", 80), yes("web", "scan", 80)}));
    enforce({policy("ops/deny", "{policyTypes: [Ingress]}")});
    EXPECT_TRUE(traffic({yes("api", "web", 80), no("web", "api", 80), no("web", "scan", 80)}));
}

TEST_P(Selecting, MissingNamespaceIsDefault)
{
    inventory_.pod("scan").pod_namespace = "default";
    describe(inventory_);
    enforce({{"plain.yaml", "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
                            "metadata: {name: plain}\nspec: {podSelector: {}}\n"}});
    EXPECT_TRUE(traffic({no("web", "scan", 80), yes("web", "api", 80), yes("api", "db", 80)}));
}

TEST_P(Selecting, PolicyTypesFollowTheRulesIfMissing)
{
    enforce({policy("shop/in", "{podSelector: {matchLabels: {app: db}}, egress: []}")});
    EXPECT_TRUE(traffic({no("web", "db", 80), yes("db", "web", 80)}));
    enforce({policy("shop/both", "{podSelector: {matchLabels: {app: db}}, "
                                 "egress: [{ports: [{port: 80}]}]}")});
    EXPECT_TRUE(traffic({no("web", "db", 80), yes("db", "web", 80), no("db", "web", 8080)}));
}

TEST_P(Selecting, SectionWithoutItsTypeIsIgnored)
{
    enforce(
        {policy("shop/in", "{podSelector: {matchLabels: {app: db}}, policyTypes: [Ingress], "
                           "ingress: [{ports: [{port: 80}]}], egress: [{ports: [{port: 1}]}]}")});
    EXPECT_TRUE(traffic({yes("web", "db", 80), no("web", "db", 8080), yes("db", "web", 80)}));
}

TEST_P(Selecting, TypeWithoutRulesDeniesItsDirection)
{
    enforce({policy("shop/out", "{podSelector: {matchLabels: {app: db}}, policyTypes: [Egress]}")});
    EXPECT_TRUE(traffic({no("db", "web", 80), no("db", "outside", 80), icmp("db", "web", false),
                         udp("db", "api", 53, false), yes("web", "db", 80)}));
}

TEST_P(Selecting, LabelRequirementsAreAllNeeded)
{
    enforce({policy("shop/one", "{podSelector: {matchLabels: {tier: back}, matchExpressions: "
                                "[{key: app, operator: In, values: [db, web]}]}}"),
             policy("ops/absent", "{podSelector: {matchExpressions: "
                                  "[{key: tier, operator: NotIn, values: [back]}]}}")});
    EXPECT_TRUE(traffic({no("api", "db", 80), yes("api", "web", 80), yes("web", "api", 80),
                         no("web", "scan", 80)}));
    enforce(
        {policy("ops/exists", "{podSelector: {matchExpressions: [{key: tier, operator: Exists}]}}"),
         policy("shop/none",
                "{podSelector: {matchExpressions: [{key: tier, operator: DoesNotExist}]}}")});
    EXPECT_TRUE(traffic({no("web", "api", 80), yes("web", "scan", 80), yes("api", "web", 80)}));
}

TEST_P(Selecting, SelectorsWithWrongValuesAreRefused)
{
    for (const std::string expression :
         {"{key: a, operator: In}", "{key: a, operator: Exists, values: [b]}"}) {
        const auto settled = world_->enforce(
            {policy("shop/bad", "{podSelector: {matchExpressions: [" + expression + "]}}")});
        EXPECT_EQ(settled.exit, exit_degraded) << expression;
        EXPECT_NE((settled.out + settled.err).find("shop-bad.yaml:4"), std::string::npos)
            << settled.out << settled.err;
    }
}

TEST_P(Selecting, NamespacesHaveTheirNameAsLabel)
{
    const auto by_name =
        policy("shop/from-ops", "{podSelector: {}, ingress: [{from: [{namespaceSelector: "
                                "{matchLabels: {kubernetes.io/metadata.name: ops}}}]}]}");
    enforce({by_name});
    EXPECT_TRUE(traffic({yes("api", "db", 80), no("web", "db", 80)}));
    inventory_.forget_namespace("ops");
    inventory_.forget_namespace("shop");
    describe(inventory_);
    EXPECT_TRUE(traffic({yes("api", "db", 80), no("web", "db", 80)}));
}

} // namespace
} // namespace system_test
