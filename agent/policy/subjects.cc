// SPDX-License-Identifier: Apache-2.0
#include "policy/subjects.h"

#include "model/difference.h"
#include "policy/label_index.h"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace ebpfd {

namespace {

bool written_before(const Origin& one, const Origin& other)
{
    return std::tie(one.file, one.line, one.column) <
           std::tie(other.file, other.line, other.column);
}

// kind: before the key, where that does not say it.
template <class Policy>
std::vector<std::shared_ptr<const Policy>>
distinct(const SharedList<std::shared_ptr<const Policy>>& policies, const std::string& kind,
         std::vector<std::string>& warnings)
{
    std::map<std::string, std::shared_ptr<const Policy>> by_key;
    for (const auto& policy : policies) {
        const auto [known, fresh] = by_key.try_emplace(policy->key(), policy);
        if (fresh)
            continue;
        if (written_before(known->second->origin, policy->origin))
            known->second = policy;
        warnings.push_back(kind + policy->key() + " is there more than once: only " +
                           known->second->origin.file + " counts");
    }
    std::vector<std::shared_ptr<const Policy>> result;
    for (const auto& [key, policy] : by_key)
        result.push_back(policy);
    return result;
}

std::string place(const ClusterPolicy& policy)
{
    return policy.key() + " (" + policy.origin.file + ":" + std::to_string(policy.origin.line) +
           ")";
}

bool has_node_peer(const ClusterPolicy& policy)
{
    return std::ranges::any_of(policy.egress, [](const PolicyRule& rule) {
        return std::ranges::any_of(rule.peers,
                                   [](const PolicyPeer& peer) { return peer.nodes.has_value(); });
    });
}

void warn_of_nodes(const ClusterPolicies& policies, std::vector<std::string>& warnings)
{
    for (const ClusterPolicyPointer& policy : policies)
        if (has_node_peer(*policy))
            warnings.push_back(
                place(*policy) +
                " has rules for nodes, which match nothing: the inventory has no Node");
}

// In the order in which they decide. At equal priority the name does, which nobody may have meant.
ClusterPolicies ordered_cluster_policies(const World& world, std::vector<std::string>& warnings)
{
    auto result = distinct(world.cluster_policies, "", warnings);
    std::ranges::sort(result, {}, [](const ClusterPolicyPointer& policy) {
        return std::tie(policy->in_tier, policy->priority, policy->name, policy->kind);
    });
    for (size_t index = 1; index < result.size(); ++index) {
        const ClusterPolicy &one = *result[index - 1], &other = *result[index];
        if (one.in_tier == other.in_tier && one.priority == other.priority)
            warnings.push_back(place(one) + " and " + place(other) + " have the same priority, " +
                               std::to_string(one.priority) + ": the former comes first, by name");
    }
    if (world.nodes.empty())
        warn_of_nodes(result, warnings);
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
        group.index.add(static_cast<uint32_t>(group.members.size()), pod.labels);
        group.members.push_back(number);
    }
    return result;
}

void add_network_policies(const World& world, std::vector<Subject>& subjects,
                          std::vector<std::string>& warnings)
{
    Groups groups = group(subjects);
    for (const NetworkPolicyPointer& policy :
         distinct(world.policies, "NetworkPolicy ", warnings)) {
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
}

// The subjects of all namespaces, by the labels of both.
struct Crowd {
    LabelIndex pods;
    LabelIndex namespaces;
    std::vector<size_t> members;
};

Crowd gather(const std::vector<Subject>& subjects, const Identities& identities)
{
    static const Labels none;
    Crowd crowd;
    for (size_t number = 0; number < subjects.size(); ++number) {
        if (!can_be_isolated(*subjects[number].local))
            continue;
        const Pod& pod = *subjects[number].local->pod;
        const Labels* in = identities.labels_of_namespace(pod.pod_namespace);
        const auto member = static_cast<uint32_t>(crowd.members.size());
        crowd.pods.add(member, pod.labels);
        crowd.namespaces.add(member, in != nullptr ? *in : none);
        crowd.members.push_back(number);
    }
    return crowd;
}

void add_cluster_policy(const World& world, const ClusterPolicyPointer& policy, Subject& subject)
{
    for (const direction dir : {DIRECTION_INGRESS, DIRECTION_EGRESS}) {
        const bool reached =
            policy->in_tier == TIER_ADMIN || !has_enforced(world, subject.policies[dir]);
        if (reached && !policy->rules(dir).empty())
            subject.cluster_policies[dir].push_back(policy);
    }
}

// After the NetworkPolicies, which keep the Baseline tier from those they isolate.
void add_cluster_policies(const World& world, const Identities& identities,
                          std::vector<Subject>& subjects, std::vector<std::string>& warnings)
{
    Crowd crowd = gather(subjects, identities);
    for (const ClusterPolicyPointer& policy : ordered_cluster_policies(world, warnings)) {
        Bitset selected = crowd.pods.select(policy->pods);
        selected &= crowd.namespaces.select(policy->namespaces);
        selected.for_each([&](uint32_t member) {
            add_cluster_policy(world, policy, subjects[crowd.members[member]]);
        });
    }
}

auto interface_order(const Subject& subject)
{
    return std::tie(subject.local->ifindex, subject.local->name);
}

std::vector<Subject> without_policies(const World& world)
{
    std::vector<Subject> subjects;
    for (const LocalInterface& local : world.interfaces)
        subjects.push_back({.local = &local});
    std::ranges::sort(subjects, {}, interface_order);
    return subjects;
}

bool are_distinct(const World& world)
{
    const auto in_order = [](const auto& one, const auto& other) {
        return one->order() >= other->order();
    };
    return std::ranges::adjacent_find(world.policies, in_order) == world.policies.end();
}

// The same where those before are: only beside new ones can it be otherwise.
bool stay_distinct(const World& before, const World& now)
{
    std::unordered_set<const NetworkPolicy*> fresh;
    for_each_difference(
        before.policies, now.policies, [](const auto&) {},
        [&](const auto& policy) { fresh.insert(policy.get()); });
    const auto out_of_order = [&](const auto& one, const auto& other) {
        return (fresh.contains(one.get()) || fresh.contains(other.get())) &&
               one->order() >= other->order();
    };
    return std::ranges::adjacent_find(now.policies, out_of_order) == now.policies.end();
}

bool same_interfaces(const World& before, const World& now)
{
    return std::ranges::equal(before.interfaces, now.interfaces,
                              [](const LocalInterface& one, const LocalInterface& other) {
                                  return one.ifindex == other.ifindex && one.pod == other.pod &&
                                         one.name == other.name;
                              });
}

bool selects(const NetworkPolicy& policy, const LocalInterface& local)
{
    return can_be_isolated(local) && policy.policy_namespace == local.pod->pod_namespace &&
           policy.pod_selector.matches(local.pod->labels);
}

// Returns whether it had it.
bool remove(Subject& subject, const NetworkPolicyPointer& policy)
{
    size_t removed = 0;
    for (const direction dir : {DIRECTION_INGRESS, DIRECTION_EGRESS})
        removed += std::erase(subject.policies[dir], policy);
    return removed > 0;
}

// They stand in the order of their names.
void insert(Subject& subject, const NetworkPolicyPointer& policy)
{
    const auto name = [](const NetworkPolicyPointer& one) -> const std::string& {
        return one->name;
    };
    for (const direction dir : {DIRECTION_INGRESS, DIRECTION_EGRESS}) {
        if (!(dir == DIRECTION_INGRESS ? policy->ingress : policy->egress))
            continue;
        auto& policies = subject.policies[dir];
        policies.insert(std::ranges::lower_bound(policies, policy->name, {}, name), policy);
    }
}

void insert_all(const World& world, Subject& subject)
{
    for (const auto& policy : world.policies)
        if (selects(*policy, *subject.local))
            insert(subject, policy);
}

} // namespace

bool has_enforced(const World& world, const NetworkPolicies& policies)
{
    return std::ranges::any_of(
        policies, [&](const NetworkPolicyPointer& policy) { return !world.rehearses(*policy); });
}

NetworkPolicies isolating(const World& world, const NetworkPolicies& policies)
{
    NetworkPolicies enforced;
    std::ranges::copy_if(
        policies, std::back_inserter(enforced),
        [&](const NetworkPolicyPointer& policy) { return !world.rehearses(*policy); });
    return enforced.empty() ? policies : enforced;
}

std::vector<Subject> find_subjects(const World& world, const Identities& identities,
                                   std::vector<std::string>& warnings)
{
    auto subjects = without_policies(world);
    add_network_policies(world, subjects, warnings);
    add_cluster_policies(world, identities, subjects, warnings);
    return subjects;
}

Subjects::Subjects(const World& world, const Identities& identities)
    : subjects_(find_subjects(world, identities, warnings_)), distinct_(are_distinct(world))
{
}

// With cluster-wide policies all is searched anew: they decide by the labels of namespaces, and by
// which other policies a subject has.
std::vector<SubjectChange> Subjects::update(const World& before, const World& now,
                                            const Identities& identities)
{
    const bool was_distinct = distinct_;
    if (!before.policies.is(now.policies))
        distinct_ = was_distinct ? stay_distinct(before, now) : are_distinct(now);
    std::vector<SubjectChange> changes(now.interfaces.size());
    if (was_distinct && distinct_ && before.cluster_policies.empty() &&
        now.cluster_policies.empty()) {
        if (same_interfaces(before, now))
            move_over(before, now, changes);
        else
            take_over(now, changes);
        follow_policies(before, now, changes);
        return changes;
    }
    warnings_.clear();
    subjects_ = find_subjects(now, identities, warnings_);
    return changes;
}

void Subjects::move_over(const World& before, const World& now, std::vector<SubjectChange>& changes)
{
    for (size_t number = 0; number < subjects_.size(); ++number) {
        auto& local = subjects_[number].local;
        local = &now.interfaces[static_cast<size_t>(local - before.interfaces.data())];
        changes[number] = {.before = number, .changed = false};
    }
}

// What those have that are the same pod at the same interface.
void Subjects::take_over(const World& now, std::vector<SubjectChange>& changes)
{
    auto old = std::exchange(subjects_, without_policies(now));
    size_t before = 0;
    for (size_t number = 0; number < subjects_.size(); ++number) {
        Subject& subject = subjects_[number];
        while (before < old.size() && interface_order(old[before]) < interface_order(subject))
            ++before;
        if (before == old.size() || interface_order(old[before]) != interface_order(subject) ||
            old[before].local->pod != subject.local->pod)
            continue;
        subject.policies = std::move(old[before].policies);
        changes[number] = {.before = before, .changed = false};
    }
}

void Subjects::follow_policies(const World& before, const World& now,
                               std::vector<SubjectChange>& changes)
{
    const auto each_known = [&](auto change) {
        for (size_t number = 0; number < subjects_.size(); ++number)
            if (changes[number].before && change(subjects_[number]))
                changes[number].changed = true;
    };
    for_each_difference(
        before.policies, now.policies,
        [&](const auto& gone) {
            each_known([&](Subject& subject) { return remove(subject, gone); });
        },
        [&](const auto& fresh) {
            each_known([&](Subject& subject) {
                const bool selected = selects(*fresh, *subject.local);
                if (selected)
                    insert(subject, fresh);
                return selected;
            });
        });
    for (size_t number = 0; number < subjects_.size(); ++number)
        if (!changes[number].before)
            insert_all(now, subjects_[number]);
}

} // namespace ebpfd
