// SPDX-License-Identifier: Apache-2.0
#include "analysis/covered_rules.h"

#include "model/names.h"

#include <algorithm>
#include <numeric>
#include <set>

namespace ebpfd {
namespace {

std::string joined_names(const NetworkPolicies& policies)
{
    std::string result;
    for (const NetworkPolicyPointer& policy : policies)
        result += (result.empty() ? "" : ",") + policy->name;
    return result;
}

auto order(const CoveredRule& rule)
{
    return std::make_tuple(rule.in_tier, rule.priority, rule.policy_text(), rule.dir,
                           rule.kind == RULE_ISOLATION, rule.index);
}

} // namespace

std::string CoveredRule::policy_text() const
{
    return ebpfd::policy_text(kind, policy_namespace, policy);
}

std::string CoveredRule::rule_text() const
{
    return ebpfd::rule_text(kind, dir, index);
}

CoveredRules::CoveredRules(const World& world, const std::vector<PodGroup>& groups) : world_(world)
{
    count_pods(groups);
    for (const auto& policy : world.cluster_policies)
        add(*policy);
    for (const auto& policy : world.policies)
        add(*policy);
    add_isolations(groups);
    sort();
    for (size_t number = 0; number < list_.size(); ++number) {
        const CoveredRule& rule = list_[number];
        numbers_.emplace(Name{rule.kind, rule.dir, rule.policy_namespace, rule.policy, rule.index},
                         number);
    }
}

void CoveredRules::count_pods(const std::vector<PodGroup>& groups)
{
    const auto count = [&](const void* policy, const PodGroup& group) {
        Pods& pods = pods_[{policy, group.dir}];
        pods[0] += group.pods;
        pods[1] += group.local_pods;
    };
    for (const PodGroup& group : groups) {
        for (const NetworkPolicyPointer& policy : group.subject->policies[group.dir])
            count(policy.get(), group);
        for (const ClusterPolicyPointer& policy : group.subject->cluster_policies[group.dir])
            count(policy.get(), group);
    }
}

void CoveredRules::add(const ClusterPolicy& policy)
{
    for (const direction dir : {DIRECTION_INGRESS, DIRECTION_EGRESS}) {
        const Pods& pods = pods_[{&policy, dir}];
        for (size_t index = 0; index < policy.rules(dir).size(); ++index) {
            const PolicyRule& rule = policy.rules(dir)[index];
            add({.kind = RULE_CLUSTER_POLICY,
                 .dir = dir,
                 .policy_namespace = policy.kind,
                 .policy = policy.name,
                 .index = static_cast<uint16_t>(index),
                 .action = rule.action,
                 .in_tier = policy.in_tier,
                 .priority = policy.priority,
                 .dry_run = world_.rehearses(policy),
                 .origin = rule.origin,
                 .pods = pods[0],
                 .local_pods = pods[1],
                 .shadowed_by = {}},
                {&rule, &policy});
        }
    }
}

void CoveredRules::add(const NetworkPolicy& policy)
{
    for (const direction dir : {DIRECTION_INGRESS, DIRECTION_EGRESS}) {
        const auto& rules = dir == DIRECTION_INGRESS ? policy.ingress : policy.egress;
        const Pods& pods = pods_[{&policy, dir}];
        for (size_t index = 0; rules && index < rules->size(); ++index)
            add({.dir = dir,
                 .policy_namespace = policy.policy_namespace,
                 .policy = policy.name,
                 .index = static_cast<uint16_t>(index),
                 .dry_run = world_.rehearses(policy),
                 .origin = (*rules)[index].origin,
                 .pods = pods[0],
                 .local_pods = pods[1],
                 .shadowed_by = {}},
                {&(*rules)[index], nullptr});
    }
}

void CoveredRules::add_isolations(const std::vector<PodGroup>& groups)
{
    std::set<std::pair<NetworkPolicyPointer, direction>> listed;
    std::map<std::pair<NetworkPolicies, direction>, Pods> isolations;
    for (const PodGroup& group : groups) {
        const auto& policies = group.subject->policies[group.dir];
        if (policies.empty() || group.local_pods == 0)
            continue;
        Pods& pods = isolations[{isolating(world_, policies), group.dir}];
        pods[0] += group.pods;
        pods[1] += group.local_pods;
        for (const NetworkPolicyPointer& policy : policies)
            listed.emplace(policy, group.dir);
    }
    for (const auto& policy : world_.policies) {
        for (const direction dir : {DIRECTION_INGRESS, DIRECTION_EGRESS}) {
            const bool isolates =
                dir == DIRECTION_INGRESS ? policy->ingress.has_value() : policy->egress.has_value();
            if (isolates && !listed.contains({policy, dir}))
                isolations[{{policy}, dir}] = pods_[{policy.get(), dir}];
        }
    }
    for (const auto& [isolation, pods] : isolations)
        add_isolation(isolation.first, isolation.second, pods);
}

void CoveredRules::add_isolation(const NetworkPolicies& policies, direction dir, Pods pods)
{
    add({.kind = RULE_ISOLATION,
         .dir = dir,
         .policy_namespace = policies.front()->policy_namespace,
         .policy = joined_names(policies),
         .action = ACTION_DENY,
         .dry_run = world_.rehearses(*policies.front()),
         .origin = policies.front()->origin,
         .pods = pods[0],
         .local_pods = pods[1],
         .shadowed_by = {}},
        {});
}

void CoveredRules::add(CoveredRule rule, Source source)
{
    list_.push_back(std::move(rule));
    sources_.push_back(source);
}

void CoveredRules::sort()
{
    std::vector<decltype(order(list_.front()))> keys;
    for (const CoveredRule& rule : list_)
        keys.push_back(order(rule));
    std::vector<size_t> places(list_.size());
    std::iota(places.begin(), places.end(), size_t{0});
    std::ranges::stable_sort(
        places, {}, [&](size_t place) -> const auto& { return keys[place]; });
    std::vector<CoveredRule> list;
    std::vector<Source> sources;
    for (const size_t place : places) {
        list.push_back(std::move(list_[place]));
        sources.push_back(sources_[place]);
    }
    list_ = std::move(list);
    sources_ = std::move(sources);
}

size_t CoveredRules::find(const Name& name) const
{
    const auto found = numbers_.find(name);
    return found == numbers_.end() ? NONE : found->second;
}

size_t CoveredRules::find(const PlanRule& rule) const
{
    return find(Name{rule.kind, rule.dir, rule.policy_namespace, rule.policy, rule.index});
}

std::vector<size_t> CoveredRules::isolations(const Subject& subject, direction dir) const
{
    if (subject.policies[dir].empty())
        return {};
    const NetworkPolicies policies = isolating(world_, subject.policies[dir]);
    const std::string& in = policies.front()->policy_namespace;
    const size_t joined = find(Name{RULE_ISOLATION, dir, in, joined_names(policies), 0});
    if (joined != NONE)
        return {joined};
    std::vector<size_t> result;
    for (const NetworkPolicyPointer& policy : policies)
        if (const size_t one = find(Name{RULE_ISOLATION, dir, in, policy->name, 0}); one != NONE)
            result.push_back(one);
    return result;
}

std::vector<size_t> CoveredRules::of(const Subject& subject, direction dir) const
{
    std::vector<size_t> result = isolations(subject, dir);
    const auto add_all = [&](rule_kind kind, const std::string& in, const std::string& policy) {
        for (size_t index = 0;; ++index) {
            const size_t rule = find(Name{kind, dir, in, policy, index});
            if (rule == NONE)
                return;
            result.push_back(rule);
        }
    };
    for (const NetworkPolicyPointer& policy : subject.policies[dir])
        add_all(RULE_NETWORK_POLICY, policy->policy_namespace, policy->name);
    for (const ClusterPolicyPointer& policy : subject.cluster_policies[dir])
        add_all(RULE_CLUSTER_POLICY, policy->kind, policy->name);
    return result;
}

} // namespace ebpfd
