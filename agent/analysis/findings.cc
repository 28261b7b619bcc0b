// SPDX-License-Identifier: Apache-2.0
#include "analysis/findings.h"

#include "model/names.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>
#include <tuple>

namespace ebpfd {
namespace {

constexpr size_t SHADOWS_NAMED = 3;

std::string shadows_text(const Coverage& coverage, const CoveredRule& rule)
{
    std::string text;
    size_t left = rule.shadowed_by.size();
    for (const size_t other : rule.shadowed_by) {
        if (rule.shadowed_by.size() - left == SHADOWS_NAMED)
            break;
        text += (text.empty() ? "" : ", ") + place_text(coverage.rules[other]);
        --left;
    }
    return left > 0 ? fmt::format("{} and {} more", text, left) : text;
}

// The same would be decided without it, if only rules of its own action come before.
bool is_redundant(const Coverage& coverage, const CoveredRule& rule)
{
    return rule.fate == Fate::shadowed && std::ranges::all_of(rule.shadowed_by, [&](size_t other) {
               return coverage.rules[other].action == rule.action;
           });
}

Finding finding_of(const Coverage& coverage, const CoveredRule& rule)
{
    const bool redundant = is_redundant(coverage, rule);
    return {.level = redundant ? Finding::Level::note : Finding::Level::warning,
            .code = std::string(redundant ? "redundant" : fate_name(rule.fate)),
            .origin = rule.origin,
            .policy = rule.policy_text(),
            .rule = rule.rule_text(),
            .text = (redundant ? "not needed: " : "never decides: ") + why_dead(coverage, rule)};
}

// One for the policy and direction, however many rules it has there.
Finding nobody_selected(const CoveredRule& rule)
{
    return {.code = std::string(fate_name(rule.fate)),
            .origin = rule.origin,
            .policy = rule.policy_text(),
            .rule = {},
            .text = fmt::format("selects no pod for {}", direction_name(rule.dir))};
}

void add_dead_rules(const Coverage& coverage, std::vector<Finding>& result)
{
    std::set<std::pair<std::string, direction>> selecting_nobody;
    for (const CoveredRule& rule : coverage.rules) {
        if (!is_dead(rule.fate))
            continue;
        if (rule.fate == Fate::selects_no_pod) {
            if (selecting_nobody.emplace(rule.policy_text(), rule.dir).second)
                result.push_back(nobody_selected(rule));
        } else if (rule.kind != RULE_ISOLATION) {
            result.push_back(finding_of(coverage, rule));
        }
    }
}

void add_contradictions(const Coverage& coverage, std::vector<Finding>& result)
{
    for (const auto& [decides, loses] : coverage.contradictions) {
        const CoveredRule &one = coverage.rules[decides], &other = coverage.rules[loses];
        result.push_back(
            {.code = "contradiction",
             .origin = other.origin,
             .policy = other.policy_text(),
             .rule = other.rule_text(),
             .text = fmt::format("{} contradicts {} of {}, which has the same priority, {}, and "
                                 "comes first only by its name",
                                 action_name(other.action), action_name(one.action),
                                 place_text(one), one.priority)});
    }
}

void add_equal_priorities(const Coverage& coverage, std::vector<Finding>& result)
{
    const CoveredRule* last = nullptr;
    for (const CoveredRule& rule : coverage.rules) {
        if (rule.kind != RULE_CLUSTER_POLICY)
            continue;
        const bool same =
            last != nullptr && last->in_tier == rule.in_tier && last->priority == rule.priority;
        if (same && last->policy_text() != rule.policy_text())
            result.push_back({.level = Finding::Level::note,
                              .code = "equal_priority",
                              .origin = rule.origin,
                              .policy = rule.policy_text(),
                              .rule = {},
                              .text = fmt::format("has the same priority as {}, {}",
                                                  last->policy_text(), rule.priority)});
        last = &rule;
    }
}

} // namespace

std::string_view level_name(Finding::Level level)
{
    return level == Finding::Level::note ? "note" : "warning";
}

std::string Finding::line() const
{
    return fmt::format("{}:{}: {}: {}{}{}: {}", origin.file, origin.line, level_name(level), policy,
                       rule.empty() ? "" : " ", rule, text);
}

std::string place_text(const CoveredRule& rule)
{
    return fmt::format("{} {} ({}:{})", rule.policy_text(), rule.rule_text(), rule.origin.file,
                       rule.origin.line);
}

std::string why_dead(const Coverage& coverage, const CoveredRule& rule)
{
    switch (rule.fate) {
    case Fate::decides:
    case Fate::not_on_this_node:
        return "";
    case Fate::selects_no_pod:
        return "its policy selects no pod";
    case Fate::unresolved_port:
        return rule.dir == DIRECTION_INGRESS ? "no pod it is for has a port of that name"
                                             : "no peer has a port of that name";
    case Fate::no_peer:
        return "no pod, node or block is among its peers";
    case Fate::not_enforced:
        return "its peers are of a kind that is not enforced yet";
    case Fate::shadowed:
        return "shadowed by " + shadows_text(coverage, rule);
    }
    return "";
}

std::vector<Finding> findings(const Coverage& coverage)
{
    std::vector<Finding> result;
    add_dead_rules(coverage, result);
    add_contradictions(coverage, result);
    add_equal_priorities(coverage, result);
    std::ranges::stable_sort(
        result, {}, [](const Finding& one) { return std::tie(one.origin.file, one.origin.line); });
    return result;
}

} // namespace ebpfd
