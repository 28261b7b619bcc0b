// SPDX-License-Identifier: Apache-2.0
#include "analysis/workload.h"

#include <algorithm>
#include <array>

namespace ebpfd {

namespace {

constexpr std::array<std::string_view, 3> NAMING_LABELS{"app.kubernetes.io/name", "app", "k8s-app"};

constexpr std::array<std::string_view, 11> PASSING_LABELS{
    "apps.kubernetes.io/pod-index",
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/job-completion-index",
    "batch.kubernetes.io/job-name",
    "controller-revision-hash",
    "controller-uid",
    "job-name",
    "pod-template-generation",
    "pod-template-hash",
    "rollouts-pod-template-hash",
    "statefulset.kubernetes.io/pod-name",
};

// A CronJob names its Jobs by the minute they are for, which has eight digits.
constexpr size_t MINUTE_DIGITS = 8;

Workload by_replica_set(const Pod& pod, const std::string& name)
{
    const auto hash = pod.labels.find("pod-template-hash");
    const std::string suffix = hash == pod.labels.end() ? "" : "-" + hash->second;
    if (suffix.size() > 1 && name.size() > suffix.size() && name.ends_with(suffix))
        return {"Deployment", pod.pod_namespace, name.substr(0, name.size() - suffix.size())};
    return {"ReplicaSet", pod.pod_namespace, name};
}

Workload by_job(const Pod& pod, const std::string& name)
{
    const size_t digits = name.find_last_not_of("0123456789");
    const bool numbered = digits != std::string::npos && digits > 0 && name[digits] == '-' &&
                          name.size() - digits - 1 >= MINUTE_DIGITS;
    if (numbered)
        return {"CronJob", pod.pod_namespace, name.substr(0, digits)};
    return {"Job", pod.pod_namespace, name};
}

} // namespace

Workload workload_of(const Pod& pod)
{
    if (pod.controller && !pod.controller->name.empty()) {
        const auto& [kind, name] = *pod.controller;
        if (kind == "ReplicaSet")
            return by_replica_set(pod, name);
        if (kind == "Job")
            return by_job(pod, name);
        return {kind, pod.pod_namespace, name};
    }
    for (const std::string_view key : NAMING_LABELS)
        if (const auto label = pod.labels.find(std::string(key));
            label != pod.labels.end() && !label->second.empty())
            return {"", pod.pod_namespace, label->second};
    return {"Pod", pod.pod_namespace, pod.name};
}

bool is_passing_label(std::string_view key)
{
    return std::ranges::find(PASSING_LABELS, key) != PASSING_LABELS.end();
}

} // namespace ebpfd
