// SPDX-License-Identifier: Apache-2.0
#include "policy/network_policy.h"
#include "unit/policy/yaml_document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ebpfd {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

const std::string HEAD = "apiVersion: networking.k8s.io/v1\n"
                         "kind: NetworkPolicy\n"
                         "metadata: {name: p}\n";

NetworkPolicy decoded(const std::string& rest, const std::string& head = HEAD)
{
    const auto result = decode_network_policy(yaml_document(head + rest));
    if (result)
        return *result;
    for (const FileError& error : result.error())
        ADD_FAILURE() << error.origin.line << ": " << error.reason;
    return {};
}

const std::string FULL = R"(spec:
  podSelector:
    matchLabels: {app: web}
    matchExpressions:
    - {key: tier, operator: NotIn, values: [b, a]}
  policyTypes: [Ingress, Egress]
  ingress:
  - from:
    - ipBlock: {cidr: 10.1.2.3/8, except: [10.2.0.0/16]}
    - namespaceSelector: {}
      podSelector: {matchLabels: {app: db}}
    ports:
    - port: 80
    - {port: http, protocol: UDP}
    - {port: 1000, endPort: 2000, protocol: SCTP}
    - protocol: UDP
  egress:
  - {}
)";

TEST(NetworkPolicy, PodSelectorIsSorted)
{
    using Operator = Requirement::Operator;
    EXPECT_THAT(decoded(FULL).pod_selector.requirements,
                ElementsAre(Requirement{"app", Operator::in, {"web"}},
                            Requirement{"tier", Operator::not_in, {"a", "b"}}));
}

TEST(NetworkPolicy, PeersKeepTheirForm)
{
    const auto peers = decoded(FULL).ingress->at(0).peers;
    ASSERT_THAT(peers, SizeIs(2));
    EXPECT_EQ(peers[0].block->cidr.text(), "10.0.0.0/8");
    EXPECT_EQ(peers[0].block->except.at(0).text(), "10.2.0.0/16");
    EXPECT_THAT(peers[1].namespaces->requirements, IsEmpty());
    EXPECT_EQ(peers[1].pods->requirements.at(0).values.at(0), "db");
}

TEST(NetworkPolicy, PortsAreDefaulted)
{
    EXPECT_THAT(decoded(FULL).ingress->at(0).ports,
                ElementsAre(PolicyPort{Protocol::tcp, PortRange{80, 80}},
                            PolicyPort{Protocol::udp, "http"},
                            PolicyPort{Protocol::sctp, PortRange{1000, 2000}},
                            PolicyPort{Protocol::udp, PortRange{0, 65535}}));
}

TEST(NetworkPolicy, RulesKnowTheirLine)
{
    const NetworkPolicy policy = decoded(FULL);
    EXPECT_EQ(policy.origin, (Origin{"policy.yaml", 1, 1}));
    EXPECT_EQ(policy.ingress->at(0).origin, (Origin{"policy.yaml", 11, 5}));
    EXPECT_EQ(policy.egress->at(0).origin.line, 21u);
}

TEST(NetworkPolicy, MissingNamespaceIsDefault)
{
    EXPECT_EQ(decoded("spec: {}").key(), "default/p");
    const std::string head = "apiVersion: networking.k8s.io/v1\n"
                             "kind: NetworkPolicy\n"
                             "metadata: {name: a.b, namespace: shop, labels: {x: 1}, what: ever}\n"
                             "status: {any: thing}\n";
    EXPECT_EQ(decoded("spec: {}", head).key(), "shop/a.b");
}

TEST(NetworkPolicy, MissingTypesMeanIngress)
{
    const NetworkPolicy bare = decoded("spec: {podSelector: {}}");
    EXPECT_TRUE(bare.ingress);
    EXPECT_THAT(*bare.ingress, IsEmpty());
    EXPECT_FALSE(bare.egress);
    EXPECT_TRUE(decoded("").ingress);
}

TEST(NetworkPolicy, MissingTypesMeanEgressOnlyWithARule)
{
    EXPECT_FALSE(decoded("spec: {egress: []}").egress);
    EXPECT_FALSE(decoded("spec: {policyTypes: [], egress: null}").egress);
    const NetworkPolicy with_rule = decoded("spec: {egress: [{}]}");
    EXPECT_TRUE(with_rule.ingress);
    EXPECT_THAT(*with_rule.egress, SizeIs(1));
}

TEST(NetworkPolicy, SectionWithoutItsTypeIsIgnored)
{
    const NetworkPolicy policy = decoded("spec: {policyTypes: [Egress], ingress: [{}]}");
    EXPECT_FALSE(policy.ingress);
    EXPECT_THAT(*policy.egress, IsEmpty());
}

TEST(NetworkPolicy, NullMeansMissing)
{
    const NetworkPolicy policy =
        decoded("spec:\n  podSelector:\n  ingress:\n  - from:\n    ports:\n");
    EXPECT_THAT(policy.pod_selector.requirements, IsEmpty());
    EXPECT_THAT(policy.ingress->at(0).peers, IsEmpty());
    EXPECT_THAT(policy.ingress->at(0).ports, IsEmpty());
}

TEST(NetworkPolicy, EmptyLabelValueIsAValue)
{
    EXPECT_THAT(decoded("spec: {podSelector: {matchLabels: {a: ''}}}").pod_selector.requirements,
                ElementsAre(Requirement{"a", Requirement::Operator::in, {""}}));
}

TEST(NetworkPolicy, KindsAreToldApart)
{
    EXPECT_TRUE(is_policy_kind("networking.k8s.io/v1", "NetworkPolicy"));
    EXPECT_FALSE(is_policy_kind("networking.k8s.io/v1beta1", "NetworkPolicy"));
    EXPECT_FALSE(is_policy_kind("networking.k8s.io/v1", "Ingress"));
    EXPECT_FALSE(is_foreign_policy_kind("networking.k8s.io/v1", "NetworkPolicy"));
    EXPECT_TRUE(is_foreign_policy_kind("extensions/v1beta1", "NetworkPolicy"));
    EXPECT_TRUE(
        is_foreign_policy_kind("policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy"));
    EXPECT_FALSE(is_foreign_policy_kind("v1", "Pod"));
}

} // namespace
} // namespace ebpfd
