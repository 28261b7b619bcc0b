// SPDX-License-Identifier: Apache-2.0
#include "system/world.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace system_test {
namespace {

using testing::HasSubstr;

// Cluster-wide policies before, and behind, NetworkPolicies; real connections.
class Tiers : public OnNode {
protected:
    static PolicyFile cluster(const std::string& name, const std::string& spec,
                              const std::string& kind = "ClusterNetworkPolicy",
                              const std::string& version = "v1alpha2")
    {
        return {name + ".yaml", fmt::format("apiVersion: policy.networking.k8s.io/{}\nkind: {}\n"
                                            "metadata: {{name: {}}}\nspec: {}\n",
                                            version, kind, name, spec)};
    }
    static std::string tcp(int port)
    {
        return fmt::format("protocols: [{{tcp: {{destinationPort: {{number: {}}}}}}}]", port);
    }
    static PolicyFile db_allows(const std::string& ports)
    {
        return policy("shop/db",
                      "{podSelector: {matchLabels: {app: db}}, ingress: [{ports: " + ports + "}]}");
    }
};
INSTANTIATE_TEST_SUITE_P(Policy, Tiers, every_node, node_name);

TEST_P(Tiers, AdminRulesDecideBeforeNetworkPolicies)
{
    enforce({cluster("guard", "{tier: Admin, priority: 1, subject: {namespaces: {matchLabels: "
                              "{team: sales}}}, ingress: [{action: Deny, from: [{namespaces: "
                              "{matchLabels: {team: ops}}}], " +
                                  tcp(80) + "}, {action: Accept, from: [{namespaces: {}}], " +
                                  tcp(5432) + "}]}"),
             db_allows("[{port: 80}]")});
    EXPECT_TRUE(traffic({no("api", "db", 80), yes("web", "db", 80), yes("api", "db", 5432),
                         no("web", "db", 8080), no("api", "web", 80), yes("api", "web", 8080),
                         yes("web", "api", 80), yes("node", "db", 80)}));
}

TEST_P(Tiers, PassLeavesItToNetworkPoliciesAndBaselineToTheRest)
{
    const std::string everyone = "subject: {namespaces: {}}, ingress: ";
    enforce(
        {cluster("first", "{tier: Admin, priority: 1, " + everyone +
                              "[{action: Pass, from: [{namespaces: {}}], " + tcp(80) + "}]}"),
         cluster("second", "{tier: Admin, priority: 2, " + everyone +
                               "[{action: Deny, from: [{namespaces: {}}], " + tcp(80) + "}]}"),
         cluster("base", "{tier: Baseline, priority: 1, " + everyone +
                             "[{action: Deny, from: [{namespaces: {matchLabels: {team: ops}}}]}]}"),
         db_allows("[{port: 80}]")});
    EXPECT_TRUE(traffic({yes("api", "db", 80), no("api", "db", 8080), no("api", "web", 80),
                         no("api", "web", 8080), yes("db", "web", 80), no("scan", "api", 80)}));
}

TEST_P(Tiers, EgressKnowsNetworks)
{
    enforce({cluster("out",
                     "{tier: Admin, priority: 1, subject: {pods: {podSelector: {matchLabels: "
                     "{app: web}}}}, egress: [{action: Accept, to: [{networks: ['" +
                         block(at("db") + "/32", at("db") + "/128") +
                         "']}]}, {action: Deny, to: [{networks: [0.0.0.0/0, '::/0']}]}]}",
                     "ClusterNetworkPolicy", "v1beta1")});
    EXPECT_TRUE(traffic({yes("web", "db", 80), no("web", "api", 80), no("web", "outside", 80),
                         yes("api", "outside", 80), yes("api", "web", 80)}));
}

TEST_P(Tiers, PredecessorsAreEnforcedAsTheirTiers)
{
    enforce({cluster("guard",
                     "{priority: 1, subject: {namespaces: {}}, ingress: [{action: Deny, "
                     "from: [{namespaces: {matchLabels: {team: ops}}}], "
                     "ports: [{portNumber: {protocol: TCP, port: 80}}]}]}",
                     "AdminNetworkPolicy", "v1alpha1"),
             cluster("default",
                     "{subject: {namespaces: {}}, ingress: [{action: Deny, from: "
                     "[{namespaces: {}}]}]}",
                     "BaselineAdminNetworkPolicy", "v1alpha1"),
             db_allows("[{port: 80}, {port: 8080}]")});
    EXPECT_TRUE(traffic({no("api", "db", 80), yes("web", "db", 80), yes("api", "db", 8080),
                         no("db", "web", 8080)}));
}

TEST_P(Tiers, AnOpenConnectionIsCutByAnAdminRule)
{
    enforce({});
    const auto connection =
        lab::open_connection(machine("web"), machine("db"), family(), Transport::tcp, 7001);
    ASSERT_TRUE(connection);
    ASSERT_TRUE(connection->carries_to_server());
    enforce({cluster("guard", "{tier: Admin, priority: 1, subject: {namespaces: {}}, ingress: "
                              "[{action: Deny, from: [{namespaces: {}}]}]}")});
    EXPECT_FALSE(connection->carries_to_server());
    EXPECT_FALSE(connection->carries_to_client());
}

TEST_P(Tiers, TheRuleIsNamedEverywhere)
{
    enforce({cluster("guard", "\n  tier: Admin\n  priority: 1\n  subject: {namespaces: {}}\n"
                              "  ingress:\n  - action: Deny\n    from: [{namespaces: {}}]\n")});
    EXPECT_TRUE(traffic({no("api", "db", 80)}));
    const auto trace = agent().ask(
        {"policy", "trace", "--from", "ops/api", "--to", "shop/db", "--port", "80/tcp"});
    EXPECT_THAT(trace, HasSubstr("ClusterNetworkPolicy/guard"));
    EXPECT_THAT(trace, HasSubstr("guard.yaml:9"));
    EXPECT_THAT(agent().ask({"policy", "rules", "shop/db"}), HasSubstr("Admin"));
    EXPECT_THAT(agent().ask({"policy", "list"}), HasSubstr("ClusterNetworkPolicy/guard"));
    EXPECT_THAT(agent().ask({"policy", "get", "ClusterNetworkPolicy/guard"}), HasSubstr("deny"));
    EXPECT_TRUE(lab::eventually([&] {
        return agent()
                   .ask({"observe", "--last", "20", "--policy", "ClusterNetworkPolicy/guard", "-o",
                         "jsonl"})
                   .find("\"policy\":\"ClusterNetworkPolicy/guard\"") != std::string::npos;
    }));
}

TEST_P(Tiers, ABadOneIsRefusedWithItsLineAndTheLastStays)
{
    const std::string good = "{tier: Admin, priority: 1, subject: {namespaces: {}}, ingress: "
                             "[{action: Deny, from: [{namespaces: {}}], " +
                             tcp(80) + "}]}";
    enforce({cluster("guard", good)});
    const auto settled = world_->enforce({cluster("guard", "{tier: Top}")});
    EXPECT_EQ(settled.exit, exit_degraded);
    EXPECT_THAT(settled.out + settled.err, HasSubstr("guard.yaml:4"));
    EXPECT_TRUE(traffic({no("api", "db", 80), yes("api", "db", 8080)}));
}

} // namespace
} // namespace system_test
