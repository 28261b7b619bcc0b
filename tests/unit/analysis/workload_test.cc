// SPDX-License-Identifier: Apache-2.0
#include "analysis/workload.h"

#include <gtest/gtest.h>

namespace ebpfd {
namespace {

Pod pod(const Labels& labels, std::optional<Controller> controller = {})
{
    Pod made;
    made.pod_namespace = "shop";
    made.name = "web-6d4-x2k";
    made.labels = labels;
    made.controller = std::move(controller);
    return made;
}

TEST(Workload, AReplicaSetWithAHashIsADeployments)
{
    const Labels labels{{"app", "other"}, {"pod-template-hash", "6d4"}};
    EXPECT_EQ(workload_of(pod(labels, Controller{"ReplicaSet", "web-6d4"})),
              (Workload{"Deployment", "shop", "web"}));
    EXPECT_EQ(workload_of(pod({}, Controller{"ReplicaSet", "web-6d4"})),
              (Workload{"ReplicaSet", "shop", "web-6d4"}));
}

TEST(Workload, ANumberedJobIsACronJobs)
{
    EXPECT_EQ(workload_of(pod({}, Controller{"Job", "backup-28466520"})),
              (Workload{"CronJob", "shop", "backup"}));
    EXPECT_EQ(workload_of(pod({}, Controller{"Job", "migrate-2"})),
              (Workload{"Job", "shop", "migrate-2"}));
    EXPECT_EQ(workload_of(pod({}, Controller{"Job", "28466520"})),
              (Workload{"Job", "shop", "28466520"}));
}

TEST(Workload, OtherControllersStandAsTheyAre)
{
    EXPECT_EQ(workload_of(pod({{"app", "x"}}, Controller{"StatefulSet", "db"})),
              (Workload{"StatefulSet", "shop", "db"}));
}

TEST(Workload, WithoutAControllerLabelsSayThenThePod)
{
    EXPECT_EQ(workload_of(pod({{"k8s-app", "c"}, {"app", "b"}, {"app.kubernetes.io/name", "a"}})),
              (Workload{"", "shop", "a"}));
    EXPECT_EQ(workload_of(pod({{"k8s-app", "dns"}, {"app", ""}})), (Workload{"", "shop", "dns"}));
    EXPECT_EQ(workload_of(pod({{"tier", "x"}})), (Workload{"Pod", "shop", "web-6d4-x2k"}));
}

} // namespace
} // namespace ebpfd
