// SPDX-License-Identifier: Apache-2.0
#include "analysis/every_pod.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace ebpfd {
namespace {

std::set<std::string> local_pods(const World& world)
{
    std::set<std::string> result;
    for (const LocalInterface& local : world.interfaces)
        if (local.pod)
            result.insert(local.pod->key());
    return result;
}

// This node's as their interfaces have them, the others under the number 0.
World with_every_pod(const World& world)
{
    World result = world;
    std::erase_if(result.interfaces, [](const LocalInterface& local) {
        return local.pod == nullptr || local.pod->host_network;
    });
    const auto local = local_pods(world);
    for (const auto& pod : world.pods)
        if (!pod->finished && !pod->host_network && !local.contains(pod->key()))
            result.interfaces.push_back({.ifindex = 0, .name = pod->key(), .pod = pod});
    return result;
}

// Named ports are looked up among the selected pod's own ones, for ingress.
using Recipe = std::tuple<NetworkPolicies, ClusterPolicies, std::vector<NamedPort>>;

Recipe recipe(const Subject& subject, direction dir)
{
    std::vector<NamedPort> ports;
    if (dir == DIRECTION_INGRESS)
        ports = subject.local->pod->ports;
    std::ranges::sort(ports);
    return {subject.policies[dir], subject.cluster_policies[dir], std::move(ports)};
}

} // namespace

EveryPod::EveryPod(const World& world)
    : world_(with_every_pod(world)), local_(local_pods(world)), identities_(world_),
      services_(numbered_services(world_, identities_, warnings_)), bits_(world_, identities_),
      rulesets_(world_, bits_, identities_, services_),
      subjects_(find_subjects(world_, identities_, warnings_))
{
}

std::vector<PodGroup> EveryPod::groups() const
{
    std::vector<PodGroup> result;
    for (const direction dir : {DIRECTION_INGRESS, DIRECTION_EGRESS}) {
        std::map<Recipe, size_t> known;
        for (const Subject& subject : subjects_) {
            if (subject.policies[dir].empty() && subject.cluster_policies[dir].empty())
                continue;
            const auto [place, fresh] = known.try_emplace(recipe(subject, dir), result.size());
            if (fresh)
                result.push_back({.subject = &subject, .dir = dir});
            PodGroup& group = result[place->second];
            ++group.pods;
            group.local_pods += is_local(*subject.local->pod);
        }
    }
    std::ranges::stable_partition(result, [](const PodGroup& one) { return one.local_pods > 0; });
    return result;
}

Result<PlanRuleset> EveryPod::ruleset(const Subject& subject, direction dir)
{
    return rulesets_.build(subject, dir);
}

} // namespace ebpfd
