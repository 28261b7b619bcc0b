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

Verdict of_reference(const World& world, const reference::Packet& packet)
{
    const reference::Judgement judgement = reference::judge(world, packet);
    Verdict verdict{.allow = judgement.allow, .why = judgement.why, .rule = {}};
    if (judgement.cluster_rule) {
        const auto& [policy, index] = *judgement.cluster_rule;
        verdict.rule =
            rule_name(RULE_CLUSTER_POLICY, packet.dir, "", policy, static_cast<uint32_t>(index));
        return verdict;
    }
    if (judgement.rule) {
        const std::string& key = judgement.rule->policy;
        verdict.rule =
            rule_name(RULE_NETWORK_POLICY, packet.dir, key.substr(0, key.find('/')),
                      key.substr(key.find('/') + 1), static_cast<uint32_t>(judgement.rule->index));
    }
    if (judgement.why == REASON_DENIED)
        verdict.rule = isolation_name(judgement, packet.dir);
    return verdict;
}

std::string describe(const Verdict& verdict)
{
    return fmt::format("{} because {} {}", verdict.allow ? "allow" : "deny",
                       reason_name(verdict.why), verdict.rule);
}

} // namespace property
