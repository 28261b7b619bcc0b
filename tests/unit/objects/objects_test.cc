// SPDX-License-Identifier: Apache-2.0
#include "objects/objects.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ebpfd {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

FileContent with_policy(const std::string& name, const std::string& file, uint32_t line = 1)
{
    NetworkPolicy policy;
    policy.name = name;
    policy.origin = {file, line, 1};
    FileContent out;
    out.objects.policies.push_back(std::make_shared<NetworkPolicy>(policy));
    return out;
}

FileContent broken(const std::string& file)
{
    FileContent out;
    out.errors.push_back({{file, 3, 7}, "mapping values are not allowed here"});
    return out;
}

// "name@file" of each policy in force.
std::vector<std::string> policies(const ObjectStore& store)
{
    std::vector<std::string> out;
    for (const auto& policy : store.in_force().policies)
        out.push_back(policy->name + "@" + policy->origin.file);
    return out;
}

TEST(ObjectStore, FilesAddUpAndGo)
{
    ObjectStore store;
    store.set("/p/a.yaml", with_policy("one", "/p/a.yaml"));
    store.set("/p/b.yaml", with_policy("two", "/p/b.yaml"));
    EXPECT_THAT(policies(store), ElementsAre("one@/p/a.yaml", "two@/p/b.yaml"));
    store.remove("/p/a.yaml");
    EXPECT_THAT(policies(store), ElementsAre("two@/p/b.yaml"));
}

TEST(ObjectStore, BrokenFileKeepsWhatItLastValidlySaid)
{
    ObjectStore store;
    store.set("/p/a.yaml", with_policy("one", "/p/a.yaml"));
    store.set("/p/a.yaml", broken("/p/a.yaml"));
    EXPECT_THAT(policies(store), ElementsAre("one@/p/a.yaml"));
    ASSERT_EQ(store.errors().size(), 1u);
    EXPECT_EQ(store.errors()[0].origin.line, 3u);
    store.set("/p/a.yaml", with_policy("new", "/p/a.yaml"));
    EXPECT_THAT(policies(store), ElementsAre("new@/p/a.yaml"));
    EXPECT_THAT(store.errors(), IsEmpty());
}

TEST(ObjectStore, FileThatWasNeverValidSaysNothing)
{
    ObjectStore store;
    auto half = broken("/p/a.yaml");
    half.objects = with_policy("half", "/p/a.yaml").objects;
    store.set("/p/a.yaml", half);
    EXPECT_THAT(policies(store), IsEmpty());
}

TEST(ObjectStore, BrokenFileThatGoesTakesItsErrorsAlong)
{
    ObjectStore store;
    store.set("/p/a.yaml", broken("/p/a.yaml"));
    store.remove("/p/a.yaml");
    EXPECT_THAT(store.errors(), IsEmpty());
}

TEST(ObjectStore, OfDuplicatesTheLaterFileNameCounts)
{
    ObjectStore store;
    store.set("/z/a.yaml", with_policy("one", "/z/a.yaml", 4));
    store.set("/a/b.yaml", with_policy("one", "/a/b.yaml", 9));
    EXPECT_THAT(policies(store), ElementsAre("one@/a/b.yaml"));
    EXPECT_THAT(store.in_force().duplicates,
                ElementsAre(AllOf(HasSubstr("NetworkPolicy default/one"), HasSubstr("/a/b.yaml:9"),
                                  HasSubstr("/z/a.yaml:4"))));
    store.remove("/a/b.yaml");
    EXPECT_THAT(policies(store), ElementsAre("one@/z/a.yaml"));
    EXPECT_THAT(store.in_force().duplicates, IsEmpty());
}

TEST(ObjectStore, SameNameInAnotherNamespaceIsNoDuplicate)
{
    ObjectStore store;
    auto other = with_policy("one", "/p/b.yaml");
    auto policy = *other.objects.policies[0];
    policy.policy_namespace = "shop";
    other.objects.policies = {std::make_shared<NetworkPolicy>(policy)};
    store.set("/p/a.yaml", with_policy("one", "/p/a.yaml"));
    store.set("/p/b.yaml", other);
    EXPECT_THAT(store.in_force().duplicates, IsEmpty());
}

TEST(ObjectStore, NotesAreKeptPerFile)
{
    ObjectStore store;
    FileContent content;
    content.notes = {"a.yaml:1: Deployment is not for this agent"};
    store.set("/p/a.yaml", content);
    EXPECT_THAT(store.notes(), ElementsAre("a.yaml:1: Deployment is not for this agent"));
    store.set("/p/a.yaml", {});
    EXPECT_THAT(store.notes(), IsEmpty());
}

} // namespace
} // namespace ebpfd
