// SPDX-License-Identifier: Apache-2.0
#include "policy/cluster_policy.h"
#include "policy/network_policy.h"
#include "unit/policy/yaml_document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ebpfd {
namespace {

using testing::HasSubstr;

std::string with_mode(const std::string& mode)
{
    return "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: p\n"
           "  annotations:\n    ebpfd.io/mode: " +
           mode + "\nspec: {podSelector: {}}\n";
}

TEST(DryRun, AnAnnotationAsksForIt)
{
    EXPECT_TRUE(decode_network_policy(yaml_document(with_mode("dry-run")))->dry_run);
    EXPECT_FALSE(decode_network_policy(yaml_document(with_mode("enforce")))->dry_run);
    const auto cluster = decode_cluster_policy(
        yaml_document("apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\n"
                      "metadata: {name: c, annotations: {ebpfd.io/mode: dry-run}}\n"
                      "spec: {tier: Admin, priority: 1, subject: {namespaces: {}}}\n"));
    ASSERT_TRUE(cluster);
    EXPECT_TRUE(cluster->dry_run);
}

TEST(DryRun, AnAnnotationThatWouldBeLostIsAnErrorOfTheFile)
{
    for (const char* annotation : {"ebpfd.io/Mode: dry-run", "ebpfd.io/dry-run: \"true\"",
                                   "ebpfd.io/mode: null", "ebpfd.io/mode:"}) {
        const std::string before = "ebpfd.io/mode: enforce";
        std::string text = with_mode("enforce");
        text.replace(text.find(before), before.size(), annotation);
        const auto policy = decode_network_policy(yaml_document(text));
        ASSERT_FALSE(policy) << annotation;
        EXPECT_THAT(policy.error().front().reason, HasSubstr("ebpfd.io/"));
    }
}

TEST(DryRun, ASlipInTheAnnotationIsAnErrorOfTheFile)
{
    for (const char* mode : {"dryrun", "audit", "true"}) {
        const auto policy = decode_network_policy(yaml_document(with_mode(mode)));
        ASSERT_FALSE(policy) << mode;
        EXPECT_EQ(policy.error().front().origin.line, 6u);
        EXPECT_THAT(policy.error().front().reason, HasSubstr("ebpfd.io/mode"));
    }
}

TEST(DryRun, AnnotationsThatAreNoMapAreAnErrorOfTheFile)
{
    for (const char* annotations : {"[ebpfd.io/mode, dry-run]", "'ebpfd.io/mode: dry-run'"}) {
        const auto policy = decode_network_policy(
            yaml_document("apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
                          "metadata: {name: p, annotations: " +
                          std::string(annotations) + "}\nspec: {podSelector: {}}\n"));
        ASSERT_FALSE(policy) << annotations;
        EXPECT_THAT(policy.error().front().reason, HasSubstr("annotations: must be an object"));
    }
}

} // namespace
} // namespace ebpfd
