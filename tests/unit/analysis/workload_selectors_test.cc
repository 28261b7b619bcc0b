// SPDX-License-Identifier: Apache-2.0
#include "analysis/workload_selectors.h"
#include "unit/policy/scene.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ebpfd {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr auto in = Requirement::Operator::in;

struct Selecting : testing::Test {
    Scene scene;
    int pods = 0;

    void pod(const std::string& deployment, Labels labels, const std::string& space = "shop")
    {
        const std::string number = std::to_string(++pods);
        Pod& made =
            scene.pod(space + "/" + deployment + "-" + number, labels, {"10.1.0." + number});
        made.labels["pod-template-hash"] = number;
        made.controller = Controller{"ReplicaSet", deployment + "-" + number};
    }
    WorkloadSelector of(const std::string& name) const
    {
        return WorkloadSelectors(scene.world).of({"Deployment", "shop", name});
    }
    static Requirement label(const std::string& key, const std::string& value)
    {
        return {key, in, {value}};
    }
};

TEST_F(Selecting, OneLabelThatNamesItIsEnough)
{
    pod("web", {{"a", "x"}, {"app", "web"}});
    pod("web", {{"a", "x"}, {"app", "web"}, {"version", "2"}});
    pod("db", {{"a", "y"}, {"app", "db"}});
    const auto found = of("web");
    EXPECT_THAT(found.selector.requirements, ElementsAre(label("app", "web")));
    EXPECT_EQ(found.pods, 2u);
    EXPECT_THAT(found.strangers, IsEmpty());
}

TEST_F(Selecting, AsManyLabelsAsItTakesAndNoMore)
{
    pod("web", {{"app", "shop"}, {"component", "web"}, {"tier", "front"}});
    pod("db", {{"app", "shop"}, {"component", "db"}, {"tier", "back"}});
    pod("docs", {{"app", "docs"}, {"component", "web"}, {"tier", "front"}});
    EXPECT_THAT(of("web").selector.requirements,
                ElementsAre(label("app", "shop"), label("component", "web")));
    EXPECT_THAT(of("db").selector.requirements, ElementsAre(label("component", "db")));
}

TEST_F(Selecting, WhatItLacksTellsItApartIfNothingElseDoes)
{
    pod("web", {{"app", "web"}});
    pod("canary", {{"app", "web"}, {"canary", "1"}});
    EXPECT_THAT(of("web").selector.requirements,
                ElementsAre(label("app", "web"),
                            Requirement{"canary", Requirement::Operator::does_not_exist, {}}));
    EXPECT_THAT(of("web").strangers, IsEmpty());
    EXPECT_THAT(of("canary").selector.requirements, ElementsAre(label("canary", "1")));
}

TEST_F(Selecting, WhoCannotBeToldApartIsNamed)
{
    pod("web", {{"app", "web"}});
    pod("twin", {{"app", "web"}});
    EXPECT_THAT(of("web").strangers, ElementsAre(Workload{"Deployment", "shop", "twin"}));
}

TEST_F(Selecting, OtherNamespacesAndDeadPodsAreNoStrangers)
{
    pod("web", {{"app", "web"}});
    pod("web", {{"app", "web"}}, "ops");
    pod("old", {{"app", "web"}});
    std::const_pointer_cast<Pod>(scene.world.pods.back())->finished = true;
    EXPECT_THAT(of("web").strangers, IsEmpty());
}

} // namespace
} // namespace ebpfd
