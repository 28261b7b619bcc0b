// SPDX-License-Identifier: Apache-2.0
#include "analysis/suggestion.h"
#include "policy/network_policy.h"
#include "source/parse.h"
#include "unit/policy/scene.h"

#include <array>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ebpfd {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// web and db on this node, dns elsewhere.
struct Suggesting : testing::Test {
    Scene scene;
    std::vector<Sighting> seen;
    SuggestionScope scope;

    Suggesting()
    {
        scene.local("shop/web", {{"app", "web"}}, {"10.1.0.10", "fd00:1::10"});
        scene.local("shop/db", {{"app", "db"}}, {"10.1.0.20"});
        scene.pod("kube-system/dns", {{"k8s-app", "dns"}}, {"10.2.0.53"});
        scene.world.node_addresses.insert(ip("10.0.0.1"));
    }
    void see(direction dir, std::string_view pod, std::string_view peer, uint16_t port,
             uint8_t protocol = 6)
    {
        Sighting sighting;
        const AddressBook book(scene.world);
        sighting.question = {.ifindex = book.local_interface(ip(pod)).value_or(0),
                             .dir = dir,
                             .pod = ip(pod),
                             .peer = ip(peer),
                             .protocol = protocol,
                             .port = port};
        sighting.source_port = static_cast<uint16_t>(40000 + seen.size());
        sighting.passed = true;
        seen.push_back(sighting);
    }
    void web_asks(std::string_view peer, uint16_t port, uint8_t protocol = 6)
    {
        see(DIRECTION_EGRESS, "10.1.0.10", peer, port, protocol);
    }
    // All policies as text; each is one that the agent would take.
    std::string yaml() const
    {
        const AddressBook book(scene.world);
        std::string text;
        for (const Suggestion& one : suggest(join(seen, book), book, scope))
            text += yaml_of(one);
        const auto documents = parse_documents(text, "s.yaml");
        EXPECT_TRUE(documents) << (documents ? "" : documents.error().text()) << text;
        for (const Document& document : documents.value_or(std::vector<Document>{})) {
            const auto policy = decode_network_policy(document);
            EXPECT_TRUE(policy) << (policy ? "" : policy.error().front().text()) << text;
        }
        return text;
    }
};

TEST_F(Suggesting, BothEndsOfAConnectionGetTheirRule)
{
    web_asks("10.1.0.20", 5432);
    see(DIRECTION_INGRESS, "10.1.0.20", "10.1.0.10", 5432);
    seen.back().source_port = seen.front().source_port;
    EXPECT_EQ(yaml(), R"(---
# shop/db: 1 of its 1 pod on this node, 1 connection.
# No egress was seen: this policy leaves it as it is; --isolate closes it.
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: db-observed
  namespace: shop
spec:
  podSelector:
    matchLabels:
      app: db
  policyTypes: [Ingress]
  ingress:
  # shop/web: 1 connection, the last at 1970-01-01T00:00:00.000000000Z.
  - from:
    - namespaceSelector:
        matchLabels:
          kubernetes.io/metadata.name: shop
      podSelector:
        matchLabels:
          app: web
    ports:
    - {protocol: TCP, port: 5432}
---
# shop/web: 1 of its 1 pod on this node, 1 connection.
# No ingress was seen: this policy leaves it as it is; --isolate closes it.
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: web-observed
  namespace: shop
spec:
  podSelector:
    matchLabels:
      app: web
  policyTypes: [Egress]
  egress:
  # shop/db: 1 connection, the last at 1970-01-01T00:00:00.000000000Z.
  - to:
    - namespaceSelector:
        matchLabels:
          kubernetes.io/metadata.name: shop
      podSelector:
        matchLabels:
          app: db
    ports:
    - {protocol: TCP, port: 5432}
)");
}

TEST_F(Suggesting, DnsThroughItsServiceIsTheBackendsByBothProtocols)
{
    const std::vector<ServicePort> fronts{{"u", Protocol::udp, 53}, {"t", Protocol::tcp, 53}};
    const std::vector<ServicePort> targets{{"u", Protocol::udp, 8053}, {"t", Protocol::tcp, 8054}};
    scene.service("kube-system/dns", "10.96.0.10", fronts);
    scene.slice("kube-system/dns", targets, {"10.2.0.53"});
    web_asks("10.96.0.10", 53, 17);
    EXPECT_THAT(yaml(), AllOf(HasSubstr("kubernetes.io/metadata.name: kube-system"),
                              HasSubstr("k8s-app: dns"), HasSubstr("{protocol: UDP, port: 8053}"),
                              HasSubstr("{protocol: TCP, port: 8054}"), Not(HasSubstr("ipBlock"))));
}

TEST_F(Suggesting, WithoutPortsOnlyARuleForAllOfThemHelps)
{
    web_asks("10.1.0.20", 5432);
    web_asks("10.1.0.20", 0, 1);
    EXPECT_THAT(yaml(), AllOf(HasSubstr("# Every port, since ICMP"), Not(HasSubstr("ports:"))));
}

TEST_F(Suggesting, TheNodeAndThePodItselfNeedNoRule)
{
    see(DIRECTION_INGRESS, "10.1.0.10", "10.0.0.1", 80);
    web_asks("10.1.0.10", 80);
    EXPECT_EQ(yaml(), "");
    web_asks("10.0.0.1", 10250);
    EXPECT_THAT(yaml(), HasSubstr("ipBlock: {cidr: \"10.0.0.1/32\"}"));
}

TEST_F(Suggesting, OutsideAddressesAreBlocksWhereTheyAreMany)
{
    for (int client = 1; client <= 8; ++client)
        see(DIRECTION_INGRESS, "10.1.0.10", "203.0.113." + std::to_string(client), 443);
    see(DIRECTION_INGRESS, "10.1.0.10", "198.51.100.7", 443);
    see(DIRECTION_INGRESS, "10.1.0.10", "198.51.100.8", 80);
    const std::string text = yaml();
    EXPECT_THAT(text, HasSubstr("    - ipBlock: {cidr: \"198.51.100.7/32\"}\n"
                                "    - ipBlock: {cidr: \"203.0.113.0/24\"}\n"
                                "    ports:\n    - {protocol: TCP, port: 443}\n"));
    EXPECT_THAT(text, HasSubstr("    - ipBlock: {cidr: \"198.51.100.8/32\"}\n"
                                "    ports:\n    - {protocol: TCP, port: 80}\n"));
    for (int block = 1; block <= 65; ++block) {
        const std::string third = std::to_string(block);
        see(DIRECTION_INGRESS, "10.1.0.10", "192.0." + third + ".1", 8443);
        see(DIRECTION_INGRESS, "10.1.0.10", "2001:db8:0:" + third + "::1", 8443);
    }
    EXPECT_THAT(yaml(), HasSubstr("    - ipBlock: {cidr: \"::/0\"}\n"
                                  "    - ipBlock: {cidr: \"0.0.0.0/0\"}\n"
                                  "    ports:\n    - {protocol: TCP, port: 8443}\n"));
}

TEST_F(Suggesting, PortsInARowAreARange)
{
    for (const uint16_t port : std::array<uint16_t, 4>{7000, 7001, 7002, 9000})
        web_asks("10.1.0.20", port);
    EXPECT_THAT(yaml(), AllOf(HasSubstr("{protocol: TCP, port: 7000, endPort: 7002}"),
                              HasSubstr("{protocol: TCP, port: 9000}")));
}

TEST_F(Suggesting, PortZeroHasNoNameButThatOfItsProtocol)
{
    for (const uint16_t port : std::array<uint16_t, 3>{0, 1, 80})
        web_asks("10.1.0.20", port);
    web_asks("10.1.0.20", 53, 17);
    EXPECT_THAT(yaml(), HasSubstr("    ports:\n    - {protocol: TCP}\n    - {protocol: UDP, "
                                  "port: 53}\n"));
}

TEST_F(Suggesting, IsolationClosesWhatWasNotSeen)
{
    web_asks("10.1.0.20", 5432);
    scope.isolate = true;
    EXPECT_THAT(yaml(), AllOf(HasSubstr("name: db-observed"), HasSubstr("ingress: []"),
                              Not(HasSubstr("was seen: this policy"))));
}

TEST_F(Suggesting, TheScopeLeavesOthersOut)
{
    web_asks("10.1.0.20", 5432);
    see(DIRECTION_INGRESS, "10.1.0.20", "10.1.0.10", 5432);
    scope.workload = "db";
    EXPECT_THAT(yaml(), Not(HasSubstr("web-observed")));
    scope.in_namespace = "ops";
    EXPECT_EQ(yaml(), "");
}

TEST_F(Suggesting, TextFromOutsideStaysInItsLine)
{
    scene.local("shop/odd", {{"app", "o\nd: \"d"}, {"x", "yes"}}, {"10.1.0.30"});
    see(DIRECTION_EGRESS, "10.1.0.30", "10.1.0.20", 80);
    const auto documents = [&] {
        const AddressBook book(scene.world);
        return yaml_of(suggest(join(seen, book), book, scope).at(0));
    }();
    EXPECT_THAT(documents,
                AllOf(HasSubstr("# shop/o\\nd: \\\"d:"), HasSubstr("app: \"o\\nd: \\\"d\""),
                      HasSubstr("name: o-d-d-observed")));
}

} // namespace
} // namespace ebpfd
