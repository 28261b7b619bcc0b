// SPDX-License-Identifier: Apache-2.0
#include "system/world.h"

#include <fmt/format.h>

namespace system_test {
namespace {

// shop/sql, port 80 to port 5432 of the pods given. The lab's outside answers at the cluster
// IP, as if the node had translated it behind ebpfd.
class ClusterIp : public OnNode {
protected:
    void describe_service(const std::vector<std::string>& backends)
    {
        inventory_.add_object(fmt::format(
            "apiVersion: v1\nkind: Service\nmetadata: {{name: sql, namespace: shop}}\nspec: "
            "{{clusterIPs: ['{}', '{}'], ports: [{{name: sql, port: 80, targetPort: 5432}}]}}",
            lab::service_v4, lab::service_v6));
        for (const Family each : {Family::v4, Family::v6})
            inventory_.add_object(slice(each, backends));
        describe(inventory_);
    }
    static PolicyFile web_egress(const std::string& peer, uint16_t port)
    {
        return policy("shop/web",
                      fmt::format("{{podSelector: {{matchLabels: {{app: web}}}}, policyTypes: "
                                  "[Egress], egress: [{{to: [{}], ports: [{{port: {}}}]}}]}}",
                                  peer, port));
    }

private:
    std::string slice(Family each, const std::vector<std::string>& backends)
    {
        std::string endpoints;
        for (const std::string& name : backends)
            endpoints += fmt::format("{}{{addresses: ['{}'], conditions: {{ready: true}}}}",
                                     endpoints.empty() ? "" : ", ", machine(name).at(each));
        return fmt::format("apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: "
                           "{{name: sql-{0}, namespace: shop, labels: "
                           "{{kubernetes.io/service-name: sql}}}}\naddressType: {0}\n"
                           "ports: [{{name: sql, port: 5432, protocol: TCP}}]\nendpoints: [{1}]",
                           lab::name_of(each), endpoints);
    }
};
INSTANTIATE_TEST_SUITE_P(Policy, ClusterIp, every_node, node_name);

TEST_P(ClusterIp, StandsForItsReadyEndpoints)
{
    describe_service({"db"});
    enforce({web_egress("{podSelector: {matchLabels: {app: db}}}", 5432)});
    EXPECT_TRUE(
        traffic({yes("web", "service", 80), no("web", "service", 8080), no("web", "outside", 80)}));
    enforce({web_egress("{podSelector: {matchLabels: {app: db}}}", 80)});
    EXPECT_TRUE(traffic({no("web", "service", 80)})) << "the target port counts";
    enforce({web_egress("{namespaceSelector: {matchLabels: {team: ops}}}", 5432)});
    EXPECT_TRUE(traffic({no("web", "service", 80)}));
}

TEST_P(ClusterIp, PassesIfAnyEndpointIsAllowed)
{
    describe_service({"db", "api"});
    enforce({web_egress("{namespaceSelector: {matchLabels: {team: ops}}}", 5432)});
    EXPECT_TRUE(traffic({yes("web", "service", 80)}));
}

TEST_P(ClusterIp, IsMatchedByBlocksAsItStands)
{
    describe_service({"db"});
    const std::string cidr = block("10.96.0.0/16", "fd00:96::/64");
    enforce({web_egress(fmt::format("{{ipBlock: {{cidr: '{}'}}}}", cidr), 80)});
    EXPECT_TRUE(traffic({yes("web", "service", 80), no("web", "outside", 80)}));
}

} // namespace
} // namespace system_test
