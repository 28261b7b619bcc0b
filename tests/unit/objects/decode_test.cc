// SPDX-License-Identifier: Apache-2.0
#include "objects/decode.h"
#include "source/parse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ebpfd {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

FileContent decode(const std::string& text, FolderKind kind)
{
    const auto documents = parse_documents(text, "/d/f.yaml");
    if (!documents) {
        ADD_FAILURE() << documents.error().text();
        return {};
    }
    return decode_documents(*documents, kind);
}

const std::string policy = "apiVersion: networking.k8s.io/v1\n"
                           "kind: NetworkPolicy\n"
                           "metadata: {name: deny}\n"
                           "spec: {podSelector: {}}\n";
const std::string pod = "apiVersion: v1\n"
                        "kind: Pod\n"
                        "metadata: {name: web, namespace: shop}\n"
                        "spec: {}\n";
const std::string deployment = "apiVersion: apps/v1\n"
                               "kind: Deployment\n"
                               "metadata: {name: web}\n";

TEST(DecodeDocuments, PoliciesStandInPolicyFolders)
{
    const auto content = decode(policy, FolderKind::policy);
    EXPECT_THAT(content.errors, IsEmpty());
    EXPECT_THAT(content.notes, IsEmpty());
    ASSERT_EQ(content.objects.policies.size(), 1u);
    EXPECT_EQ(content.objects.policies[0]->key(), "default/deny");
}

TEST(DecodeDocuments, PodsStandInInventoryFolders)
{
    const auto content = decode(pod, FolderKind::inventory);
    EXPECT_THAT(content.notes, IsEmpty());
    ASSERT_EQ(content.objects.pods.size(), 1u);
    EXPECT_EQ(content.objects.pods[0]->key(), "shop/web");
}

TEST(DecodeDocuments, WhatBelongsElsewhereIsSkippedWithANote)
{
    auto content = decode(pod + "---\n" + policy, FolderKind::policy);
    EXPECT_EQ(content.objects.policies.size(), 1u);
    EXPECT_THAT(content.objects.pods, IsEmpty());
    EXPECT_THAT(content.notes, ElementsAre(HasSubstr("belongs in an inventory folder")));
    content = decode(policy, FolderKind::inventory);
    EXPECT_THAT(content.objects.policies, IsEmpty());
    EXPECT_THAT(content.notes, ElementsAre(HasSubstr("belongs in a policy folder")));
}

TEST(DecodeDocuments, OtherKindsAreSkippedWithANote)
{
    const auto content = decode(deployment, FolderKind::policy);
    EXPECT_THAT(content.errors, IsEmpty());
    EXPECT_THAT(content.notes, ElementsAre(HasSubstr("Deployment of apps/v1 is skipped")));
}

TEST(DecodeDocuments, ASlipInKindOrVersionIsAnErrorNotAPolicyLess)
{
    for (const auto& [what, by] : std::vector<std::pair<std::string, std::string>>{
             {"kind: NetworkPolicy", "kind: NetworkPolcy"},
             {"networking.k8s.io/v1", "networking.k8s.io/v2"},
             {"networking.k8s.io/v1", "policy.networking.k8s.io/v1"}}) {
        std::string text = policy;
        text.replace(text.find(what), what.size(), by);
        const auto content = decode(text, FolderKind::policy);
        ASSERT_EQ(content.errors.size(), 1u) << text;
        EXPECT_EQ(content.errors[0].origin.line, 1u);
        EXPECT_THAT(content.errors[0].reason, HasSubstr("there is no"));
    }
    const std::string ingress = "apiVersion: networking.k8s.io/v1\nkind: Ingress\n";
    EXPECT_THAT(decode(ingress, FolderKind::policy).errors, IsEmpty());
}

TEST(DecodeDocuments, ErrorsOfAllDocumentsAreKept)
{
    const std::string typo = "apiVersion: networking.k8s.io/v1\n"
                             "kind: NetworkPolicy\n"
                             "metadata: {name: a}\n"
                             "spec: {podSelector: {}, ingres: []}\n";
    const auto content = decode(typo + "---\n" + typo, FolderKind::policy);
    ASSERT_EQ(content.errors.size(), 2u);
    EXPECT_EQ(content.errors[0].origin.line, 4u);
    EXPECT_EQ(content.errors[1].origin.line, 9u);
}

} // namespace
} // namespace ebpfd
