// SPDX-License-Identifier: Apache-2.0
#include "bench/cluster.h"
#include "objects/decode.h"
#include "source/parse.h"

#include <gtest/gtest.h>
#include <map>

using namespace bench;

namespace {

// More pods than are local, so that some stand together in a file.
constexpr Cluster cluster{.policies = 30, .pods = 400};

struct Objects {
    std::map<std::string, std::shared_ptr<const ebpfd::Pod>> pods; // by key
    size_t namespaces = 0;
    size_t policies = 0;
};

// What the agent makes of the files.
Objects read(const std::map<std::string, std::string>& files, ebpfd::FolderKind kind)
{
    Objects all;
    for (const auto& [name, text] : files) {
        const auto documents = ebpfd::parse_documents(text, name);
        if (!documents) {
            ADD_FAILURE() << documents.error().text();
            continue;
        }
        const auto content = ebpfd::decode_documents(*documents, kind);
        for (const auto& error : content.errors)
            ADD_FAILURE() << error.text();
        for (const auto& pod : content.objects.pods)
            all.pods[pod->key()] = pod;
        all.namespaces += content.objects.namespaces.size();
        all.policies += content.objects.policies.size();
    }
    return all;
}

TEST(Cluster, IsTheSameInFilesAsInObjects)
{
    const auto world = cluster.world();
    const Objects inventory = read(cluster.inventory_files(), ebpfd::FolderKind::inventory);
    ASSERT_EQ(inventory.pods.size(), cluster.pods);
    for (const auto& pod : world.pods) {
        const auto found = inventory.pods.find(pod->key());
        ASSERT_NE(found, inventory.pods.end());
        EXPECT_EQ(found->second->labels, pod->labels);
        EXPECT_EQ(found->second->addresses, pod->addresses);
        EXPECT_EQ(found->second->node, pod->node);
    }
    EXPECT_EQ(inventory.namespaces, world.namespaces.size());
    EXPECT_EQ(read(cluster.policy_files(), ebpfd::FolderKind::policy).policies,
              world.policies.size());
}

TEST(Cluster, FindsPodsByNamespaceAndWorkload)
{
    const auto pod = cluster.pod(cluster.pod_of(3, 7, 1));
    EXPECT_EQ(pod.pod_namespace, "space-3");
    EXPECT_EQ(pod.labels.at("app"), "app-7");
    EXPECT_EQ(pod.labels.at("tier"), "back");
}

TEST(Cluster, PolicyZeroLetsInFrontPodsOfTeamZeroForTheWorkloadOfPodZero)
{
    const auto policy = read_policy(cluster.policy(0));
    const auto pod = cluster.pod(0);
    EXPECT_EQ(policy->policy_namespace, pod.pod_namespace);
    EXPECT_TRUE(policy->pod_selector.matches(pod.labels));
    const auto& peer = policy->ingress->front().peers.front();
    EXPECT_TRUE(peer.namespaces->matches(cluster.space(0).labels));
    EXPECT_FALSE(peer.namespaces->matches(cluster.space(9).labels));
    EXPECT_TRUE(peer.namespaces->matches(cluster.space(9, 0).labels));
    EXPECT_TRUE(peer.pods->matches(cluster.pod(cluster.pod_of(0, 2)).labels));
    EXPECT_FALSE(peer.pods->matches(cluster.pod(cluster.pod_of(0, 3)).labels));
}

} // namespace
