// SPDX-License-Identifier: Apache-2.0
#include "policy/network_policy.h"
#include "unit/policy/yaml_document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ebpfd {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;
using testing::StartsWith;

// "LINE:COLUMN REASON" of each error.
std::vector<std::string> errors_of(const std::string& text)
{
    const auto result = decode_network_policy(yaml_document(text));
    std::vector<std::string> reasons;
    if (result)
        return reasons;
    for (const auto& [origin, reason] : result.error()) {
        EXPECT_EQ(origin.file, "policy.yaml");
        reasons.push_back(std::to_string(origin.line) + ":" + std::to_string(origin.column) + " " +
                          reason);
    }
    return reasons;
}

// The same of a policy whose spec starts in line 5.
std::vector<std::string> spec_errors(const std::string& spec)
{
    return errors_of("apiVersion: networking.k8s.io/v1\n"
                     "kind: NetworkPolicy\n"
                     "metadata: {name: p}\n"
                     "spec:\n" +
                     spec);
}

struct BadSpec {
    const char* spec;
    const char* place;  // how the only error starts
    const char* reason; // a part of it
};

std::ostream& operator<<(std::ostream& out, const BadSpec& row)
{
    return out << row.spec;
}

class BadSpecs : public testing::TestWithParam<BadSpec> {};

TEST_P(BadSpecs, IsRefusedWithPlaceAndReason)
{
    const auto errors = spec_errors(GetParam().spec);
    ASSERT_THAT(errors, SizeIs(1)) << GetParam().spec;
    EXPECT_THAT(errors[0], StartsWith(GetParam().place));
    EXPECT_THAT(errors[0], HasSubstr(GetParam().reason));
}

INSTANTIATE_TEST_SUITE_P(
    Shape, BadSpecs,
    testing::Values(
        BadSpec{"  ingres: []", "5:3 unknown field", "\"spec.ingres\""},
        BadSpec{"  podSelector: {matchLabel: {a: b}}", "5:17 unknown field", "matchLabel\""},
        BadSpec{"  ingress: [{form: []}]", "5:14 unknown", "spec.ingress[0].form"},
        BadSpec{"  ingress: [{to: []}]", "5:14 unknown", "spec.ingress[0].to"},
        BadSpec{"  egress: [{from: []}]", "5:13 unknown", "spec.egress[0].from"},
        BadSpec{"  ingress: {}", "5:12 spec.ingress:", "must be a list, is an object"},
        BadSpec{"  ingress: [from]", "5:13 spec.ingress[0]:", "must be an object, is a string"},
        BadSpec{"  ingress: [~]", "5:13 spec.ingress[0]:", "must not be empty"},
        BadSpec{"  podSelector: []", "5:16 spec.podSelector:", "must be an object"},
        BadSpec{"  policyTypes: [ingress]", "5:17 spec.policyTypes[0]:", "Ingress or Egress"},
        BadSpec{"  policyTypes: Ingress", "5:16 spec.policyTypes:", "must be a list"},
        BadSpec{"  policyTypes: [Ingress, Egress, Egress]", "5:16 spec.policyTypes", "at most"}));

INSTANTIATE_TEST_SUITE_P(
    Selectors, BadSpecs,
    testing::Values(
        BadSpec{"  podSelector: {matchLabels: {a: yes}}",
                "5:34 spec.podSelector.matchLabels.a:", "is a boolean: quote it, \"yes\""},
        BadSpec{"  podSelector: {matchLabels: {a: 1}}", "5:34", "an integer: quote it, \"1\""},
        BadSpec{"  podSelector: {matchLabels: {a/b.c: -x}}", "5:38",
                "matchLabels[\"a/b.c\"]: label value \"-x\""},
        BadSpec{"  podSelector: {matchLabels: {a: ~}}", "5:34", "must be a string, is empty"},
        BadSpec{"  podSelector: {matchLabels: {'a b': c}}", "5:38", "label key \"a b\""},
        BadSpec{"  podSelector: {matchLabels: {A_/b: c}}", "5:37", "DNS subdomain"},
        BadSpec{"  podSelector: {matchExpressions: [{key: a, operator: in, values: [b]}]}", "5:55",
                "In, NotIn, Exists or DoesNotExist"},
        BadSpec{"  podSelector: {matchExpressions: [{key: a, operator: In}]}", "5:36",
                "need at least one value"},
        BadSpec{"  podSelector: {matchExpressions: [{key: a, operator: NotIn, values: []}]}",
                "5:70", "need at least one value"},
        BadSpec{"  podSelector: {matchExpressions: [{key: a, operator: Exists, values: [b]}]}",
                "5:71", "must have no values"},
        BadSpec{"  podSelector: {matchExpressions: [{key: a, operator: In, values: [on]}]}", "5:68",
                "quote it"},
        BadSpec{"  podSelector: {matchExpressions: [{operator: Exists}]}", "5:36",
                "key is required"},
        BadSpec{"  podSelector: {matchExpressions: [{key: a}]}", "5:36", "operator is required"}));

INSTANTIATE_TEST_SUITE_P(
    Peers, BadSpecs,
    testing::Values(
        BadSpec{"  ingress: [{from: [{}]}]", "5:21 spec.ingress[0].from[0]:", "needs an ipBlock"},
        BadSpec{"  egress: [{to: [{podSelector: }]}]", "5:18 spec.egress[0].to[0]:", "needs"},
        BadSpec{"  ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}, podSelector: {}}]}]", "5:21",
                "beside a selector"},
        BadSpec{"  ingress: [{from: [{ipBlock: {}}]}]", "5:31", "cidr is required"},
        BadSpec{"  ingress: [{from: [{ipBlock: {cidr: 10.0.0.0}}]}]", "5:38", "must be a block"},
        BadSpec{"  ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/33}}]}]", "5:38", "must be a block"},
        BadSpec{"  ingress: [{from: [{ipBlock: {cidr: '::/0', except: [10.0.0.0/8]}}]}]", "5:55",
                "strictly inside ::/0"},
        BadSpec{"  ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.9.9.9/8]}}]}]",
                "5:59", "strictly inside"},
        BadSpec{"  ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [11.0.0.0/9]}}]}]",
                "5:59", "strictly inside"},
        BadSpec{"  ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, exept: []}}]}]", "5:50",
                "unknown field"}));

INSTANTIATE_TEST_SUITE_P(
    Ports, BadSpecs,
    testing::Values(
        BadSpec{"  ingress: [{ports: [{port: '80'}]}]",
                "5:29 spec.ingress[0].ports[0].port:", "write 80 without quotes"},
        BadSpec{"  ingress: [{ports: [{port: 0}]}]", "5:29", "must be 1 to 65535, is 0"},
        BadSpec{"  ingress: [{ports: [{port: 65536}]}]", "5:29", "must be 1 to 65535"},
        BadSpec{"  ingress: [{ports: [{port: -1}]}]", "5:29", "must be 1 to 65535"},
        BadSpec{"  ingress: [{ports: [{port: 80.5}]}]", "5:29", "must be an integer"},
        BadSpec{"  ingress: [{ports: [{port: HTTP}]}]", "5:29", "port name \"HTTP\""},
        BadSpec{"  ingress: [{ports: [{port: a--b}]}]", "5:29", "port name"},
        BadSpec{"  ingress: [{ports: [{port: a-very-long-name}]}]", "5:29", "at most 15"},
        BadSpec{"  ingress: [{ports: [{port: 80-90}]}]", "5:29", "at least one letter"},
        BadSpec{"  ingress: [{ports: [{port: ''}]}]", "5:29", "port name"},
        BadSpec{"  ingress: [{ports: [{endPort: 80}]}]", "5:32", "needs a port"},
        BadSpec{"  ingress: [{ports: [{port: http, endPort: 80}]}]", "5:44", "that is a number"},
        BadSpec{"  ingress: [{ports: [{port: 80, endPort: 79}]}]", "5:42", "at least the port, 80"},
        BadSpec{"  ingress: [{ports: [{port: 80, endPort: 65536}]}]", "5:42", "1 to 65535"},
        BadSpec{"  ingress: [{ports: [{protocol: tcp}]}]", "5:33", "TCP, UDP or SCTP"},
        BadSpec{"  ingress: [{ports: [{protocol: ICMP}]}]", "5:33", "TCP, UDP or SCTP"},
        BadSpec{"  ingress: [{ports: [{prot: TCP}]}]", "5:23", "unknown field"}));

TEST(NetworkPolicyErrors, AllOfADocumentAreTold)
{
    EXPECT_THAT(spec_errors("  podSelector: {matchLabels: {a: no}}\n"
                            "  ingress:\n"
                            "  - from: [{}]\n"
                            "    ports: [{port: 0}]\n"
                            "  policyTypes: [Both]\n"),
                ElementsAre(StartsWith("5:34"), StartsWith("7:12"), StartsWith("8:20"),
                            StartsWith("9:17")));
}

TEST(NetworkPolicyErrors, IgnoredSectionIsValidatedAllTheSame)
{
    EXPECT_THAT(spec_errors("  policyTypes: [Egress]\n  ingress: [{ports: [{port: 0}]}]\n"),
                ElementsAre(StartsWith("6:29")));
}

// The parser refuses repeated fields; a tree from elsewhere may have them.
TEST(NetworkPolicyErrors, RepeatedFieldIsRefused)
{
    Document document = yaml_document("apiVersion: networking.k8s.io/v1\n"
                                      "kind: NetworkPolicy\n"
                                      "metadata: {name: p}\n"
                                      "spec: {ingress: []}\n");
    Value& spec = document.root.members.back().second;
    spec.members.push_back(spec.members.front());
    spec.key_marks.emplace_back(7, 3);
    const auto result = decode_network_policy(document);
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error(),
                ElementsAre(FileError{{"policy.yaml", 7, 3}, "repeated field \"spec.ingress\""}));
}

struct BadHead {
    const char* text;
    const char* error;
};

TEST(NetworkPolicyErrors, NamesMustBeNames)
{
    const std::string head = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n";
    const std::vector<BadHead> rows{
        {"spec: {}", "1:1 metadata.name is required"},
        {"metadata: {}", "3:11 metadata: name is required"},
        {"metadata: {name: ''}", "3:18 metadata.name:"},
        {"metadata: {name: A}", "3:18 metadata.name: \"A\" must be lower case"},
        {"metadata: {name: a..b}", "3:18 metadata.name:"},
        {"metadata: {name: 7}", "3:18 metadata.name: must be a string, is an integer: quote"},
        {"metadata: {name: a, namespace: a.b}", "3:32 metadata.namespace:"},
        {"metadata: {name: a, namespace: on}", "3:32 metadata.namespace: must be a string"},
        {"metadata: [a]", "3:11 metadata: must be an object"},
        {"metadata: {name: a}\nspecs: {}", "4:1 unknown field \"specs\""},
    };
    for (const auto& [text, error] : rows)
        EXPECT_THAT(errors_of(head + text), ElementsAre(StartsWith(error))) << text;
}

TEST(NetworkPolicyErrors, OtherKindsAreRefused)
{
    EXPECT_THAT(errors_of("apiVersion: v1\nkind: Pod\n"), ElementsAre(HasSubstr("NetworkPolicy")));
}

} // namespace
} // namespace ebpfd
