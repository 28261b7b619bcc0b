// SPDX-License-Identifier: Apache-2.0
#include "overlay.h"

#include <cerrno>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ebpfd {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string policy(const std::string& name, const std::string& spec = "{podSelector: {}}")
{
    return "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: " + name +
           "}\nspec: " + spec + "\n";
}

World with(const std::string& name)
{
    World world;
    auto made = std::make_shared<NetworkPolicy>();
    made->name = name;
    made->origin.file = "in force";
    world.policies.push_back(made);
    return world;
}

Overlay laid(const World& world, const Proposal& proposal)
{
    auto out = overlay(world, proposal);
    if (!out) {
        ADD_FAILURE() << out.error().message;
        return {};
    }
    return std::move(*out);
}

TEST(Overlay, TheSameNameReplacesAnotherIsAdded)
{
    const World world = with("db");
    const auto out = laid(world, {{{"new.yaml", policy("db") + "---\n" + policy("web")}}, {}});
    EXPECT_THAT(out.replaced, ElementsAre("default/db"));
    EXPECT_THAT(out.added, ElementsAre("default/web"));
    ASSERT_EQ(out.world.policies.size(), 2u);
    EXPECT_EQ(out.world.policies[0]->origin.file, "new.yaml");
    EXPECT_EQ(world.policies.size(), 1u);
}

TEST(Overlay, PoliciesCanBeTakenOut)
{
    EXPECT_THAT(laid(with("db"), {{}, {"default/db"}}).world.policies, IsEmpty());
    const auto out = laid(with("db"), {{}, {"NetworkPolicy/default/db"}});
    EXPECT_THAT(out.world.policies, IsEmpty());
    EXPECT_THAT(out.removed, ElementsAre("NetworkPolicy/default/db"));
    World world;
    auto guard = std::make_shared<ClusterPolicy>();
    guard->kind = "ClusterNetworkPolicy";
    guard->name = "guard";
    world.cluster_policies.push_back(guard);
    EXPECT_THAT(laid(world, {{}, {"ClusterNetworkPolicy/guard"}}).world.cluster_policies,
                IsEmpty());
    const auto unknown = overlay(world, {{}, {"default/db"}});
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().code, ENOENT);
}

TEST(Overlay, OneBadFileLeavesTheWorldAsItWas)
{
    const auto out = laid(with("db"), {{{"a.yaml", policy("web")},
                                        {"b.yaml", policy("x", "{ingres: []}")},
                                        {"c.yaml", "kind: ["}},
                                       {"default/db"}});
    ASSERT_EQ(out.errors.size(), 2u);
    EXPECT_THAT(out.errors[0].text(), HasSubstr("b.yaml:4:8: unknown field"));
    EXPECT_THAT(out.errors[1].text(), HasSubstr("c.yaml:1:"));
    EXPECT_EQ(out.world.policies.size(), 1u);
}

TEST(Overlay, OtherKindsAreSkippedWithANote)
{
    const auto out =
        laid({}, {{{"a.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\n"}}, {}});
    EXPECT_THAT(out.notes, ElementsAre(HasSubstr("inventory folder")));
    EXPECT_THAT(out.errors, IsEmpty());
}

} // namespace
} // namespace ebpfd
