// SPDX-License-Identifier: Apache-2.0
#include "system/world.h"

#include <fmt/format.h>

namespace system_test {
namespace {

class Rules : public OnNode {
protected:
    // A policy for shop/db with this one ingress rule.
    static PolicyFile db_ingress(const std::string& rule)
    {
        return policy("shop/db-in",
                      "{podSelector: {matchLabels: {app: db}}, ingress: [" + rule + "]}");
    }
    static PolicyFile web_egress(const std::string& rule)
    {
        return policy("shop/web-out", "{podSelector: {matchLabels: {app: web}}, "
                                      "policyTypes: [Egress], egress: [" +
                                          rule + "]}");
    }
};
INSTANTIATE_TEST_SUITE_P(Policy, Rules, every_node, node_name);

TEST_P(Rules, EmptyRuleAllowsEverything)
{
    enforce({db_ingress("{}")});
    EXPECT_TRUE(traffic({yes("web", "db", 80), yes("outside", "db", 80), icmp("api", "db", true),
                         udp("scan", "db", 53, true)}));
    EXPECT_TRUE(arrives("web", "db", packet("web", "db").sctp(1, 2), true));
    enforce({db_ingress("{from: [], ports: []}")});
    EXPECT_TRUE(traffic({yes("web", "db", 80), yes("outside", "db", 80), icmp("api", "db", true)}));
}

TEST_P(Rules, PeersAndPortsOfARuleAreBothNeeded)
{
    enforce(
        {db_ingress("{from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: 5432}]}, "
                    "{from: [{namespaceSelector: {matchLabels: {team: ops}}}], "
                    "ports: [{port: 80}, {port: 8080}]}")});
    EXPECT_TRUE(traffic({yes("web", "db", 5432), no("web", "db", 80), yes("api", "db", 80),
                         yes("scan", "db", 8080), no("api", "db", 5432), no("outside", "db", 80)}));
}

TEST_P(Rules, SelectorsOfOnePeerAreBothNeeded)
{
    enforce({db_ingress("{from: [{namespaceSelector: {matchLabels: {team: ops}}, "
                        "podSelector: {matchLabels: {app: api}}}]}")});
    EXPECT_TRUE(traffic({yes("api", "db", 80), no("scan", "db", 80), no("web", "db", 80)}));
    enforce({db_ingress("{from: [{podSelector: {}}]}")});
    EXPECT_TRUE(traffic({yes("web", "db", 80), no("api", "db", 80)}));
    enforce({db_ingress("{from: [{namespaceSelector: {}}]}")});
    EXPECT_TRUE(traffic({yes("web", "db", 80), yes("api", "db", 80), no("outside", "db", 80)}));
}

TEST_P(Rules, PeerWithoutFieldsOrWithTooManyIsRefused)
{
    for (const std::string peer : {"{}", "{ipBlock: {cidr: 10.0.0.0/8}, podSelector: {}}"}) {
        const auto settled = world_->enforce({db_ingress("{from: [" + peer + "]}")});
        EXPECT_EQ(settled.exit, exit_degraded) << peer;
    }
    EXPECT_TRUE(traffic({yes("api", "db", 80)})) << "a refused policy isolates nobody";
}

TEST_P(Rules, ProtocolAloneMeansAllItsPorts)
{
    enforce({db_ingress("{ports: [{protocol: UDP}]}")});
    EXPECT_TRUE(traffic({udp("web", "db", 53, true), udp("web", "db", 5432, true),
                         no("web", "db", 80), no("web", "db", 5432)}));
    EXPECT_FALSE(arrives("web", "db", packet("web", "db").sctp(1, 53), false));
    enforce({db_ingress("{ports: [{port: 5432}]}")});
    EXPECT_TRUE(traffic({yes("web", "db", 5432), udp("web", "db", 5432, false)}));
}

TEST_P(Rules, SctpRuleIsolatesForTcpToo)
{
    enforce({db_ingress("{ports: [{protocol: SCTP, port: 7}]}")});
    EXPECT_TRUE(traffic({no("web", "db", 80), udp("web", "db", 53, false)}));
    EXPECT_TRUE(arrives("web", "db", packet("web", "db").sctp(1, 7), true));
    EXPECT_FALSE(arrives("web", "db", packet("web", "db").sctp(2, 8), false));
}

TEST_P(Rules, EndPortIsInclusive)
{
    enforce({db_ingress("{ports: [{port: 5432, endPort: 8080}]}")});
    EXPECT_TRUE(traffic({yes("web", "db", 5432), yes("web", "db", 8080), no("web", "db", 80)}));
    EXPECT_TRUE(arrives("web", "db", packet("web", "db").tcp(9, 6000, lab::SYN), true));
    EXPECT_FALSE(arrives("web", "db", packet("web", "db").tcp(9, 8081, lab::SYN), false));
    for (const std::string range :
         {"{port: sql, endPort: 9000}", "{port: 80, endPort: 79}", "{endPort: 80}"})
        EXPECT_EQ(world_->enforce({db_ingress("{ports: [" + range + "]}")}).exit, exit_degraded)
            << range;
}

TEST_P(Rules, NamedPortIsResolvedOnTheDestination)
{
    enforce({policy("shop/in", "{podSelector: {}, ingress: [{ports: [{port: sql}]}]}")});
    EXPECT_TRUE(traffic({yes("web", "db", 5432), no("web", "db", 80), no("api", "web", 5432)}));
    EXPECT_TRUE(traffic({udp("web", "db", 5432, false)}));
    enforce({web_egress("{ports: [{port: sql}]}")});
    EXPECT_TRUE(
        traffic({yes("web", "db", 5432), yes("web", "api", 8080), no("web", "api", 5432),
                 no("web", "db", 8080), no("web", "scan", 5432), no("web", "outside", 5432)}));
}

TEST_P(Rules, IpBlockMatchesPodsAndOthers)
{
    const std::string api = block("10.1.0.30/32", "fd00:1::30/128");
    enforce({db_ingress(fmt::format("{{from: [{{ipBlock: {{cidr: '{}'}}}}]}}", api))});
    EXPECT_TRUE(traffic({yes("api", "db", 80), no("scan", "db", 80), no("outside", "db", 80)}));
    const std::string out = block("192.0.2.77/24", "2001:db8::77/64"); // not canonical
    enforce({db_ingress(fmt::format("{{from: [{{ipBlock: {{cidr: '{}'}}}}]}}", out))});
    EXPECT_TRUE(traffic({yes("outside", "db", 80), no("api", "db", 80)}));
}

TEST_P(Rules, ExceptTakesOutOfItsBlockOnly)
{
    const std::string wide = block("10.1.0.0/24", "fd00:1::/64");
    const std::string api = block("10.1.0.30/32", "fd00:1::30/128");
    const std::string most =
        fmt::format("{{from: [{{ipBlock: {{cidr: '{}', except: ['{}']}}}}]}}", wide, api);
    enforce({db_ingress(most)});
    EXPECT_TRUE(traffic({yes("scan", "db", 80), no("api", "db", 80)}));
    enforce({db_ingress(most + ", {from: [{namespaceSelector: {}, podSelector: "
                               "{matchLabels: {app: api}}}], ports: [{port: 80}]}")});
    EXPECT_TRUE(traffic({yes("api", "db", 80), no("api", "db", 8080), yes("scan", "db", 8080)}));
}

TEST_P(Rules, WideBlockHoldsInsideNarrowerOnes)
{
    enforce({db_ingress(
        fmt::format("{{from: [{{ipBlock: {{cidr: '{}'}}}}], ports: [{{port: 80}}]}}, "
                    "{{from: [{{ipBlock: {{cidr: '{}'}}}}], ports: [{{port: 5432}}]}}",
                    block("10.1.0.0/16", "fd00::/16"), block("10.1.0.30/32", "fd00:1::30/128")))});
    EXPECT_TRUE(traffic({yes("api", "db", 80), yes("api", "db", 5432), yes("scan", "db", 80),
                         no("scan", "db", 5432)}));
}

TEST_P(Rules, InvalidExceptInvalidatesThePolicy)
{
    const auto settled = world_->enforce(
        {db_ingress("{from: [{ipBlock: {cidr: 10.1.0.0/24, except: [10.2.0.0/24]}}]}")});
    EXPECT_EQ(settled.exit, exit_degraded);
    EXPECT_TRUE(traffic({yes("api", "db", 80)}));
}

TEST_P(Rules, FamiliesAreKeptApart)
{
    enforce({db_ingress("{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}")});
    EXPECT_TRUE(traffic({family() == Family::v4 ? yes("api", "db", 80) : no("api", "db", 80)}));
    enforce({db_ingress("{from: [{ipBlock: {cidr: '::/0'}}]}")});
    EXPECT_TRUE(traffic({family() == Family::v6 ? yes("api", "db", 80) : no("api", "db", 80)}));
}

TEST_P(Rules, PoliciesAddUp)
{
    enforce({policy("shop/a", "{podSelector: {}, policyTypes: [Ingress]}"),
             policy("shop/b", "{podSelector: {matchLabels: {app: db}}, ingress: "
                              "[{ports: [{port: 80}]}]}"),
             policy("shop/c", "{podSelector: {matchLabels: {app: db}}, ingress: "
                              "[{ports: [{port: 8080}]}]}")});
    EXPECT_TRUE(traffic({yes("api", "db", 80), yes("api", "db", 8080), no("api", "db", 5432),
                         no("api", "web", 80)}));
    enforce({policy("shop/c", "{podSelector: {matchLabels: {app: db}}, ingress: "
                              "[{ports: [{port: 8080}]}]}")});
    EXPECT_TRUE(traffic({no("api", "db", 80), yes("api", "db", 8080), yes("api", "web", 80)}));
    enforce({});
    EXPECT_TRUE(traffic({yes("api", "db", 80)}));
}

} // namespace
} // namespace system_test
