// SPDX-License-Identifier: Apache-2.0
#include "analysis/policy_lint.h"

#include "analysis/containment.h"
#include "model/names.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <map>
#include <tuple>

namespace ebpfd {
namespace {

constexpr std::array DIRECTIONS{DIRECTION_INGRESS, DIRECTION_EGRESS};

// The World's policies without doubles, and a finding for each double.
template <class Policy>
std::vector<std::shared_ptr<const Policy>>
distinct(const SharedList<std::shared_ptr<const Policy>>& policies, std::vector<Finding>& found)
{
    std::map<std::string, std::shared_ptr<const Policy>> last;
    for (const auto& policy : policies) {
        auto& known = last[policy->key()];
        if (known)
            found.push_back({.code = "duplicate",
                             .origin = known->origin,
                             .policy = known->key(),
                             .rule = {},
                             .text = fmt::format("is there again: only {}:{} counts",
                                                 policy->origin.file, policy->origin.line)});
        known = policy;
    }
    std::vector<std::shared_ptr<const Policy>> result;
    for (auto& [key, policy] : last)
        result.push_back(std::move(policy));
    return result;
}

const std::vector<PolicyRule>& rules_of(const NetworkPolicy& policy, direction dir)
{
    static const std::vector<PolicyRule> none;
    const auto& rules = dir == DIRECTION_INGRESS ? policy.ingress : policy.egress;
    return rules ? *rules : none;
}

const std::vector<PolicyRule>& rules_of(const ClusterPolicy& policy, direction dir)
{
    return policy.rules(dir);
}

bool has_more_subjects(const NetworkPolicy& outer, const NetworkPolicy& inner)
{
    return outer.policy_namespace == inner.policy_namespace &&
           contains(outer.pod_selector, inner.pod_selector);
}

bool has_more_subjects(const ClusterPolicy& outer, const ClusterPolicy& inner)
{
    return contains(outer.namespaces, inner.namespaces) && contains(outer.pods, inner.pods);
}

template <class Policy> struct Place {
    const Policy& policy;
    direction dir;
    size_t index;

    const PolicyRule& rule() const { return rules_of(policy, dir)[index]; }
    std::string name() const { return fmt::format("{}[{}]", direction_name(dir), index); }
    std::string text() const
    {
        return fmt::format("{} {} ({}:{})", policy.key(), name(), rule().origin.file,
                           rule().origin.line);
    }
};

template <class Policy> Finding finding_at(const Place<Policy>& place)
{
    return {.code = {},
            .origin = place.rule().origin,
            .policy = place.policy.key(),
            .rule = place.name(),
            .text = {}};
}

template <class Policy>
Finding shadowed_by(const Place<Policy>& place, const Place<Policy>& earlier)
{
    Finding result = finding_at(place);
    const bool redundant = earlier.rule().action == place.rule().action;
    result.level = redundant ? Finding::Level::note : Finding::Level::warning;
    result.code = redundant ? "redundant" : "shadowed";
    result.text = fmt::format("{}: shadowed by {}", redundant ? "not needed" : "never decides",
                              earlier.text());
    return result;
}

// Earlier policies of the same tier, or namespace, in the order in which they decide.
template <class Policy> using Earlier = std::vector<const Policy*>;

template <class Policy>
void check_rule(const Place<Policy>& place, const Earlier<Policy>& earlier,
                std::vector<Finding>& found)
{
    if (place.rule().nobody) {
        found.push_back(finding_at(place));
        found.back().code = "not_enforced";
        found.back().text = "never decides: its peers are of a kind that is not enforced yet";
        return;
    }
    for (const Policy* policy : earlier) {
        const bool own = policy == &place.policy;
        const size_t end = own ? place.index : rules_of(*policy, place.dir).size();
        const bool only_watches = policy->dry_run && !place.policy.dry_run;
        if (only_watches || !has_more_subjects(*policy, place.policy))
            continue;
        for (size_t index = 0; index < end; ++index) {
            const Place<Policy> other{*policy, place.dir, index};
            if (contains(other.rule(), place.rule())) {
                found.push_back(shadowed_by(place, other));
                return;
            }
        }
    }
}

template <class Policy>
void check_policy(const Policy& policy, Earlier<Policy>& earlier, std::vector<Finding>& found)
{
    earlier.push_back(&policy);
    for (const direction dir : DIRECTIONS)
        for (size_t index = 0; index < rules_of(policy, dir).size(); ++index)
            check_rule({policy, dir, index}, earlier, found);
}

// Whether one of two rules contains the other, for pods that both are for.
bool contradict(const Place<ClusterPolicy>& one, const Place<ClusterPolicy>& other)
{
    const bool opposite = one.rule().action != other.rule().action;
    return opposite && (contains(one.rule(), other.rule()) || contains(other.rule(), one.rule()));
}

void check_equal(const ClusterPolicy& one, const ClusterPolicy& other, std::vector<Finding>& found)
{
    if (!has_more_subjects(one, other) && !has_more_subjects(other, one))
        return;
    for (const direction dir : DIRECTIONS) {
        for (size_t first = 0; first < one.rules(dir).size(); ++first) {
            for (size_t second = 0; second < other.rules(dir).size(); ++second) {
                const Place<ClusterPolicy> place{one, dir, first}, loser{other, dir, second};
                if (!contradict(place, loser))
                    continue;
                found.push_back(finding_at(loser));
                found.back().code = "contradiction";
                found.back().text = fmt::format(
                    "{} contradicts {} of {}, which has the same priority, {}, and comes first "
                    "only by its name",
                    action_name(loser.rule().action), action_name(place.rule().action),
                    place.text(), one.priority);
                return;
            }
        }
    }
}

void note_equal(const ClusterPolicy& one, const ClusterPolicy& other, std::vector<Finding>& found)
{
    found.push_back(
        {.level = Finding::Level::note,
         .code = "equal_priority",
         .origin = other.origin,
         .policy = other.key(),
         .rule = {},
         .text = fmt::format("has the same priority as {}, {}", one.key(), one.priority)});
}

void check_priorities(const std::vector<std::shared_ptr<const ClusterPolicy>>& ordered,
                      std::vector<Finding>& found)
{
    for (size_t later = 0; later < ordered.size(); ++later) {
        for (size_t index = later; index-- > 0;) {
            const ClusterPolicy &one = *ordered[index], &other = *ordered[later];
            if (one.in_tier != other.in_tier || one.priority != other.priority)
                break;
            check_equal(one, other, found);
            if (index + 1 == later)
                note_equal(one, other, found);
        }
    }
}

void check_domain_names(const ClusterPolicy& policy, std::vector<Finding>& found)
{
    const auto nobody = [](const PolicyRule& rule) { return rule.nobody; };
    const bool said = std::ranges::any_of(policy.egress, nobody);
    if (!policy.notes.empty() && !said)
        found.push_back({.code = "not_enforced",
                         .origin = policy.origin,
                         .policy = policy.key(),
                         .rule = {},
                         .text = "names domains, which is not enforced yet"});
}

void sort(std::vector<Finding>& found)
{
    std::ranges::stable_sort(
        found, {}, [](const Finding& one) { return std::tie(one.origin.file, one.origin.line); });
}

World without_doubles(const World& world, std::vector<Finding>& found)
{
    World result = world;
    result.policies = distinct(world.policies, found);
    result.cluster_policies = distinct(world.cluster_policies, found);
    std::ranges::sort(result.cluster_policies.edit(), {}, [](const auto& policy) {
        return std::tie(policy->in_tier, policy->priority, policy->name, policy->kind);
    });
    for (const auto& policy : result.cluster_policies)
        check_domain_names(*policy, found);
    return result;
}

} // namespace

std::vector<Finding> lint_as_written(const World& world)
{
    std::vector<Finding> found;
    const World distinct_world = without_doubles(world, found);
    std::array<Earlier<ClusterPolicy>, TIER_COUNT> tiers;
    for (const auto& policy : distinct_world.cluster_policies)
        check_policy(*policy, tiers[policy->in_tier], found);
    std::map<std::string, Earlier<NetworkPolicy>> namespaces;
    for (const auto& policy : distinct_world.policies)
        check_policy(*policy, namespaces[policy->policy_namespace], found);
    check_priorities(distinct_world.cluster_policies, found);
    sort(found);
    return found;
}

std::vector<Finding> lint_by_inventory(const World& world)
{
    std::vector<Finding> found;
    const World distinct_world = without_doubles(world, found);
    for (Finding& finding : findings(cover(distinct_world)))
        found.push_back(std::move(finding));
    sort(found);
    return found;
}

} // namespace ebpfd
