// SPDX-License-Identifier: Apache-2.0
#include "policy/subjects.h"

#include "policy/label_index.h"

#include <algorithm>
#include <tuple>
#include <unordered_map>

namespace ebpfd {

namespace {

bool written_before(const Origin& one, const Origin& other)
{
    return std::tie(one.file, one.line, one.column) <
           std::tie(other.file, other.line, other.column);
}

std::vector<const NetworkPolicy*> distinct_policies(const World& world,
                                                    std::vector<std::string>& warnings)
{
    std::map<std::string, const NetworkPolicy*> by_key;
    for (const auto& policy : world.policies) {
        const auto [known, fresh] = by_key.try_emplace(policy->key(), policy.get());
        if (fresh)
            continue;
        if (written_before(known->second->origin, policy->origin))
            known->second = policy.get();
        warnings.push_back("NetworkPolicy " + policy->key() + " is there more than once: only " +
                           known->second->origin.file + " counts");
    }
    std::vector<const NetworkPolicy*> result;
    for (const auto& [key, policy] : by_key)
        result.push_back(policy);
    return result;
}

// Pods of the host network keep their interface without policy.
bool can_be_isolated(const LocalInterface& local)
{
    return local.pod != nullptr && !local.pod->host_network;
}

// The subjects of one namespace, by their labels.
struct Group {
    LabelIndex index;
    std::vector<size_t> members;
};

using Groups = std::unordered_map<std::string_view, Group>;

Groups group(const std::vector<Subject>& subjects)
{
    Groups result;
    for (size_t number = 0; number < subjects.size(); ++number) {
        if (!can_be_isolated(*subjects[number].local))
            continue;
        const Pod& pod = *subjects[number].local->pod;
        Group& group = result[pod.pod_namespace];
        group.index.add(pod.labels);
        group.members.push_back(number);
    }
    return result;
}

} // namespace

std::vector<Subject> find_subjects(const World& world, std::vector<std::string>& warnings)
{
    std::vector<Subject> subjects;
    for (const LocalInterface& local : world.interfaces)
        subjects.push_back({&local, {}});
    std::ranges::sort(subjects, {}, [](const Subject& one) {
        return std::tie(one.local->ifindex, one.local->name);
    });
    Groups groups = group(subjects);
    for (const NetworkPolicy* policy : distinct_policies(world, warnings)) {
        const auto own = groups.find(policy->policy_namespace);
        if (own == groups.end())
            continue;
        own->second.index.select(policy->pod_selector).for_each([&](uint32_t member) {
            Subject& subject = subjects[own->second.members[member]];
            if (policy->ingress)
                subject.policies[DIRECTION_INGRESS].push_back(policy);
            if (policy->egress)
                subject.policies[DIRECTION_EGRESS].push_back(policy);
        });
    }
    return subjects;
}

} // namespace ebpfd
