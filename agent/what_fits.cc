// SPDX-License-Identifier: Apache-2.0
#include "what_fits.h"

#include <unordered_map>
#include <utility>

namespace ebpfd {
namespace {

// Returns whether there were any.
bool take_out_rehearsals(World& world)
{
    const auto rehearsed = [&](const auto& policy) { return world.rehearses(*policy); };
    return std::erase_if(world.policies.edit(), rehearsed) +
               std::erase_if(world.cluster_policies.edit(), rehearsed) >
           0;
}

// What was in force, at the interfaces there are now. Those of pods that are new since are closed.
World last_world_at(const World& last, std::vector<LocalInterface> interfaces)
{
    std::unordered_map<std::string, std::shared_ptr<const Pod>> known;
    for (const auto& pod : last.pods)
        known.emplace(pod->key(), pod);
    for (auto& interface : interfaces) {
        const auto now = std::exchange(interface.pod, nullptr);
        const auto before = now ? known.find(now->key()) : known.end();
        if (before != known.end() && before->second->uid == now->uid &&
            before->second->addresses == now->addresses)
            interface.pod = before->second;
    }
    World world = last;
    world.interfaces = std::move(interfaces);
    return world;
}

} // namespace

Result<Enforcer::Outcome> enforce_what_fits(Enforcer& enforcer, World& world, const World* last,
                                            std::string& error)
{
    auto outcome = enforcer.enforce(world);
    error = outcome ? "" : outcome.error().message;
    if (outcome)
        return outcome;
    // A rehearsal keeps nothing from being enforced.
    if (take_out_rehearsals(world)) {
        outcome = enforcer.enforce(world);
        if (outcome) {
            error += "; dry runs are left out";
            return outcome;
        }
    }
    error += "; the previous policy stays in force";
    if (last == nullptr)
        return outcome;
    if (!world.has_policies_of(*last)) {
        world.policies = last->policies;
        world.cluster_policies = last->cluster_policies;
        outcome = enforcer.enforce(world);
    }
    if (!outcome) {
        world = last_world_at(*last, std::move(world.interfaces));
        outcome = enforcer.enforce(world);
    }
    return outcome;
}

} // namespace ebpfd
