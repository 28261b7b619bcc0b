// SPDX-License-Identifier: Apache-2.0
#include "policy/cluster_policy.h"
#include "unit/policy/yaml_document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ebpfd {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const std::string CLUSTER = "apiVersion: policy.networking.k8s.io/v1alpha2\n"
                            "kind: ClusterNetworkPolicy\n"
                            "metadata: {name: guard}\n";
const std::string ADMIN = "apiVersion: policy.networking.k8s.io/v1alpha1\n"
                          "kind: AdminNetworkPolicy\n"
                          "metadata: {name: guard}\n";
const std::string BASELINE = "apiVersion: policy.networking.k8s.io/v1alpha1\n"
                             "kind: BaselineAdminNetworkPolicy\n"
                             "metadata: {name: default}\n";

ClusterPolicy decoded(const std::string& text)
{
    const auto result = decode_cluster_policy(yaml_document(text));
    if (result)
        return *result;
    for (const FileError& error : result.error())
        ADD_FAILURE() << error.origin.line << ": " << error.reason;
    return {};
}

std::vector<std::string> errors_of(const std::string& text)
{
    const auto result = decode_cluster_policy(yaml_document(text));
    std::vector<std::string> reasons;
    if (!result)
        for (const auto& [origin, reason] : result.error())
            reasons.push_back(std::to_string(origin.line) + " " + reason);
    return reasons;
}

// A ClusterNetworkPolicy whose rules start in line 8.
std::string with_rules(const std::string& section, const std::string& rules)
{
    return CLUSTER + "spec:\n  tier: Admin\n  priority: 5\n  subject: {namespaces: {}}\n  " +
           section + ": [" + rules + "]\n";
}

Requirement is(const std::string& key, const std::string& value)
{
    return {key, Requirement::Operator::in, {value}};
}

TEST(ClusterPolicy, EverythingIsRead)
{
    const auto policy = decoded(CLUSTER + R"(spec:
  tier: Baseline
  priority: 7
  subject: {pods: {namespaceSelector: {matchLabels: {team: ops}}, podSelector: {}}}
  ingress:
  - name: friends
    action: Pass
    from:
    - namespaces: {matchLabels: {team: sales}}
    - pods: {podSelector: {matchLabels: {app: web}}}
    protocols:
    - tcp: {destinationPort: {number: 80}}
    - udp: {destinationPort: {range: {start: 5, end: 9}}}
    - destinationNamedPort: dns
  egress:
  - action: Deny
    to:
    - networks: [10.1.2.3/8, "fd00::/8"]
    - nodes: {}
)");
    EXPECT_EQ(policy.key(), "ClusterNetworkPolicy/guard");
    EXPECT_EQ(policy.in_tier, TIER_BASELINE);
    EXPECT_EQ(policy.priority, 7u);
    EXPECT_THAT(policy.namespaces.requirements, ElementsAre(is("team", "ops")));
    EXPECT_THAT(policy.pods.requirements, IsEmpty());
    ASSERT_THAT(policy.ingress, SizeIs(1));
    const PolicyRule& in = policy.ingress[0];
    EXPECT_EQ(in.action, ACTION_PASS);
    EXPECT_EQ(in.origin.line, 9u);
    ASSERT_THAT(in.peers, SizeIs(2));
    EXPECT_FALSE(in.peers[0].pods);
    EXPECT_THAT(in.peers[1].namespaces->requirements, IsEmpty());
    EXPECT_THAT(in.peers[1].pods->requirements, ElementsAre(is("app", "web")));
    EXPECT_THAT(in.ports,
                ElementsAre(PolicyPort{Protocol::tcp, PortRange{80, 80}},
                            PolicyPort{Protocol::udp, PortRange{5, 9}},
                            PolicyPort{Protocol::tcp, "dns"}, PolicyPort{Protocol::udp, "dns"},
                            PolicyPort{Protocol::sctp, "dns"}));
    ASSERT_THAT(policy.egress, SizeIs(1));
    EXPECT_EQ(policy.egress[0].action, ACTION_DENY);
    ASSERT_THAT(policy.egress[0].peers, SizeIs(3));
    EXPECT_EQ(policy.egress[0].peers[0].block->cidr.text(), "10.0.0.0/8");
    EXPECT_TRUE(policy.egress[0].peers[2].nodes);
    EXPECT_THAT(policy.notes, IsEmpty());
}

TEST(ClusterPolicy, PredecessorsAreReadAsTheirTiers)
{
    const std::string subject = "  subject: {namespaces: {}}\n";
    const auto admin = decoded(ADMIN + "spec:\n  priority: 3\n" + subject +
                               "  egress:\n  - action: Allow\n    to: [{namespaces: {}}]\n"
                               "    ports: [{portNumber: {protocol: UDP, port: 53}}, "
                               "{portRange: {start: 1, end: 2}}, {namedPort: dns}]\n");
    EXPECT_EQ(admin.in_tier, TIER_ADMIN);
    EXPECT_EQ(admin.priority, 3u);
    EXPECT_EQ(admin.egress.at(0).action, ACTION_ALLOW);
    EXPECT_THAT(admin.egress.at(0).ports, SizeIs(5));
    EXPECT_EQ(admin.egress.at(0).ports[0], (PolicyPort{Protocol::udp, PortRange{53, 53}}));
    const auto baseline = decoded(BASELINE + "spec:\n" + subject +
                                  "  ingress: [{action: Deny, from: [{namespaces: {}}]}]\n");
    EXPECT_EQ(baseline.in_tier, TIER_BASELINE);
    EXPECT_GT(baseline.priority, 1000u) << "behind those that have a priority";
}

TEST(ClusterPolicy, APeerWithoutFieldsFailsClosed)
{
    const auto of = [](const std::string& action) {
        return decoded(with_rules("ingress", "{action: " + action +
                                                 ", from: [{}, {namespaces: {}}], protocols: "
                                                 "[{tcp: {destinationPort: {number: 1}}}]}"))
            .ingress.at(0);
    };
    EXPECT_TRUE(of("Accept").nobody);
    EXPECT_THAT(of("Accept").peers, IsEmpty());
    for (const std::string action : {"Deny", "Pass"}) {
        const PolicyRule rule = of(action);
        EXPECT_EQ(rule.action, ACTION_DENY);
        EXPECT_FALSE(rule.nobody);
        EXPECT_THAT(rule.peers, IsEmpty());
        EXPECT_THAT(rule.ports, IsEmpty());
    }
}

TEST(ClusterPolicy, DomainNamesMatchNothingYetAndSaySo)
{
    const auto policy =
        decoded(with_rules("egress", "{action: Accept, to: [{domainNames: [\"*.example.org\"]}]}"));
    EXPECT_TRUE(policy.egress.at(0).nobody);
    EXPECT_THAT(policy.notes, ElementsAre(HasSubstr("policy.yaml:8: "
                                                    "spec.egress[0].to[0].domainNames is not")));
    EXPECT_THAT(errors_of(with_rules("egress", "{action: Deny, to: [{domainNames: [a.b]}]}")),
                ElementsAre(HasSubstr("Accept rules only")));
}

TEST(ClusterPolicy, MaskedBlocksAreNeededSinceBeta)
{
    std::string text = with_rules("egress", "{action: Deny, to: [{networks: [10.1.2.3/8]}]}");
    EXPECT_THAT(errors_of(text), IsEmpty());
    text.replace(text.find("v1alpha2"), 8, "v1beta1");
    EXPECT_THAT(errors_of(text), ElementsAre(HasSubstr("write 10.0.0.0/8")));
}

struct BadRule {
    const char* section;
    const char* rule;
    const char* reason;
};

std::ostream& operator<<(std::ostream& out, const BadRule& row)
{
    return out << row.section << ": " << row.rule;
}

class BadClusterRules : public testing::TestWithParam<BadRule> {};

TEST_P(BadClusterRules, AreRefusedWithPlaceAndReason)
{
    const auto& [section, rule, reason] = GetParam();
    EXPECT_THAT(errors_of(with_rules(section, rule)),
                ElementsAre(testing::AllOf(testing::StartsWith("8 "), HasSubstr(reason))));
}

const BadRule BAD_RULES[] = {
    {"ingress", "{from: [{namespaces: {}}]}", "action is required"},
    {"ingress", "{action: Allow, from: [{namespaces: {}}]}", "must be Accept, Deny or Pass"},
    {"ingress", "{action: Deny}", "from is required"},
    {"ingress", "{action: Deny, from: []}", "must have 1 to 25 items"},
    {"ingress", "{action: Deny, from: [{networks: [10.0.0.0/8]}]}", "unknown field"},
    {"ingress", "{action: Deny, form: [], from: [{namespaces: {}}]}", "unknown field"},
    {"egress", "{action: Deny, to: [{namespaces: {}, nodes: {}}]}", "one field only"},
    {"egress", "{action: Deny, to: [{pods: {}}]}", "podSelector is required"},
    {"egress", "{action: Deny, to: [{networks: [ten]}]}", "must be a block"},
    {"egress", "{action: Deny, to: [{nodes: {}}], protocols: [{destinationNamedPort: dns}]}",
     "named port"},
    {"egress", "{action: Deny, to: [{namespaces: {}}], protocols: [{tcp: {}}]}",
     "destinationPort is required"},
    {"egress",
     "{action: Deny, to: [{namespaces: {}}], protocols: [{tcp: {destinationPort: {range: {start: "
     "5, end: 5}}}}]}",
     "must end above its start"},
    {"egress",
     "{action: Deny, to: [{namespaces: {}}], protocols: [{tcp: {destinationPort: {number: 0}}}]}",
     "must be 1 to 65535"},
};

INSTANTIATE_TEST_SUITE_P(ClusterPolicy, BadClusterRules, testing::ValuesIn(BAD_RULES));

TEST(ClusterPolicy, SpecsAreChecked)
{
    const std::string subject = "  subject: {namespaces: {}}\n";
    EXPECT_THAT(errors_of(CLUSTER + "spec:\n  priority: 1\n" + subject),
                ElementsAre(HasSubstr("tier is required")));
    EXPECT_THAT(errors_of(CLUSTER + "spec:\n  tier: Top\n  priority: 1\n" + subject),
                ElementsAre(HasSubstr("5 spec.tier: must be Admin or Baseline")));
    EXPECT_THAT(errors_of(CLUSTER + "spec:\n  tier: Admin\n  priority: 1001\n" + subject),
                ElementsAre(HasSubstr("6 spec.priority")));
    EXPECT_THAT(errors_of(CLUSTER + "spec:\n  tier: Admin\n  priority: 1\n"),
                ElementsAre(HasSubstr("subject is required")));
    EXPECT_THAT(errors_of(CLUSTER), ElementsAre(HasSubstr("spec is required")));
    EXPECT_THAT(errors_of(ADMIN + "spec:\n  priority: 1\n  subject: {pods: {podSelector: {}}}\n"),
                ElementsAre(HasSubstr("namespaceSelector is required")));
    std::string renamed = BASELINE + "spec:\n" + subject;
    renamed.replace(renamed.find("default"), 7, "another");
    EXPECT_THAT(errors_of(renamed), ElementsAre(HasSubstr("called \"default\"")));
    EXPECT_THAT(errors_of(BASELINE + "spec:\n" + subject +
                          "  ingress: [{action: Pass, from: [{namespaces: {}}]}]\n"),
                ElementsAre(HasSubstr("must be Allow or Deny")));
}

TEST(ClusterPolicy, AtMostSoManyRules)
{
    std::string rules;
    for (int i = 0; i < 26; ++i)
        rules += "{action: Deny, from: [{namespaces: {}}]}, ";
    EXPECT_THAT(errors_of(with_rules("ingress", rules)),
                ElementsAre(HasSubstr("at most 25 rules")));
}

} // namespace
} // namespace ebpfd
