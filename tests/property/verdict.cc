// SPDX-License-Identifier: Apache-2.0
#include "property/verdict.h"

#include "model/names.h"

#include <fmt/format.h>

using namespace ebpfd;

namespace property {

std::string rule_name(uint32_t kind, uint32_t dir, const std::string& policy_namespace,
                      const std::string& policy, uint32_t index)
{
    if (kind == RULE_CLUSTER_POLICY)
        return fmt::format("cluster {} {}[{}]", policy, direction_name(dir), index);
    if (kind == RULE_ISOLATION)
        return fmt::format("isolation {}/{} {}", policy_namespace, policy, direction_name(dir));
    return fmt::format("{}/{} {}[{}]", policy_namespace, policy, direction_name(dir), index);
}

static std::string isolation_name(const reference::Judgement& judgement, direction dir)
{
    const std::string& first = judgement.isolating.front();
    const std::string policy_namespace = first.substr(0, first.find('/'));
    std::string names;
    for (const std::string& key : judgement.isolating)
        names += (names.empty() ? "" : ",") + key.substr(key.find('/') + 1);
    return rule_name(RULE_ISOLATION, dir, policy_namespace, names, 0);
}

static std::string name_of(const reference::Judgement& judgement, direction dir)
{
    if (judgement.cluster_rule) {
        const auto& [policy, index] = *judgement.cluster_rule;
        return rule_name(RULE_CLUSTER_POLICY, dir, "", policy, static_cast<uint32_t>(index));
    }
    if (judgement.rule) {
        const std::string& key = judgement.rule->policy;
        return rule_name(RULE_NETWORK_POLICY, dir, key.substr(0, key.find('/')),
                         key.substr(key.find('/') + 1),
                         static_cast<uint32_t>(judgement.rule->index));
    }
    return judgement.isolating.empty() ? "" : isolation_name(judgement, dir);
}

// What is in force: as if dry-run policies were not there.
static World without_dry_runs(World world)
{
    std::erase_if(world.policies.edit(), [](const auto& policy) { return policy->dry_run; });
    std::erase_if(world.cluster_policies.edit(),
                  [](const auto& policy) { return policy->dry_run; });
    return world;
}

// A pod that only dry-run policies select is asked further than one that none does.
static bool is_no_rule(const reference::Judgement& judgement, const reference::Packet& packet)
{
    return judgement.why == REASON_NODE ||
           (judgement.why == REASON_SELF && packet.source == packet.destination);
}

Verdict of_reference(const World& world, const reference::Packet& packet)
{
    const reference::Judgement enforced = reference::judge(without_dry_runs(world), packet);
    const reference::Judgement rehearsed = reference::judge(world, packet);
    if (enforced.allow != rehearsed.allow)
        return {.allow = enforced.allow,
                .why = rehearsed.why,
                .rule = name_of(rehearsed.watcher.at(0), packet.dir),
                .turned = true,
                .enforced_rule = name_of(enforced, packet.dir)};
    if (is_no_rule(rehearsed, packet))
        return {.allow = rehearsed.allow, .why = rehearsed.why, .rule = {}};
    return {.allow = enforced.allow, .why = enforced.why, .rule = name_of(enforced, packet.dir)};
}

std::string describe(const Verdict& verdict)
{
    const std::string text = fmt::format("{} because {} {}", verdict.allow ? "allow" : "deny",
                                         reason_name(verdict.why), verdict.rule);
    return verdict.turned
               ? fmt::format("{} by a dry run; in force: {}", text, verdict.enforced_rule)
               : text;
}

} // namespace property
