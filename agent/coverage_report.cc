// SPDX-License-Identifier: Apache-2.0
#include "coverage_report.h"

#include "analysis/findings.h"
#include "base/clock.h"
#include "base/rfc3339.h"
#include "model/names.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <tuple>

namespace ebpfd {
namespace {

using Json = nlohmann::ordered_json;

// A rule as rule_map names it: long lists of policies are cut there.
using Name = std::tuple<uint8_t, uint8_t, bool, std::string, std::string, uint16_t>;
using Hits = std::map<Name, rule_hits>;

Name name_of(const rule_info& rule)
{
    return {rule.kind,
            rule.direction,
            rule.dry_run != 0,
            text_of(rule.policy_namespace),
            text_of(rule.policy),
            rule.index};
}

Name name_of(const CoveredRule& rule)
{
    return {static_cast<uint8_t>(rule.kind),
            static_cast<uint8_t>(rule.dir),
            rule.dry_run,
            rule.policy_namespace.substr(0, sizeof(rule_info::policy_namespace) - 1),
            rule.policy.substr(0, sizeof(rule_info::policy) - 1),
            rule.index};
}

// A rule whose content has changed goes by the same name, and another number.
Result<Hits> read_hits(const PinnedMaps& maps)
{
    const auto rules = maps.rules();
    if (!rules)
        return std::unexpected(rules.error());
    Hits result;
    for (const auto& [number, info] : *rules) {
        const auto hits = maps.hits(number);
        if (!hits)
            return std::unexpected(hits.error());
        rule_hits& sum = result[name_of(info)];
        sum.allowed += hits->allowed;
        sum.denied += hits->denied;
        sum.last_ns = std::max(sum.last_ns, hits->last_ns);
    }
    return result;
}

Json reference(const CoveredRule& rule)
{
    return {{"policy", rule.policy_text()},
            {"rule", rule.rule_text()},
            {"action", action_name(rule.action)},
            {"file", rule.origin.file},
            {"line", rule.origin.line}};
}

Json shadows(const Coverage& coverage, const CoveredRule& rule)
{
    Json out = Json::array();
    for (const size_t other : rule.shadowed_by)
        out.push_back(reference(coverage.rules[other]));
    return out;
}

std::string_view decides(Fate fate)
{
    if (is_dead(fate))
        return "never";
    return fate == Fate::decides ? "yes" : "not_on_this_node";
}

// Empty: never.
std::string last_hit(const rule_hits& hits)
{
    return hits.last_ns == 0 ? "" : rfc3339(static_cast<int64_t>(hits.last_ns) + clock_offset_ns());
}

Json row(const Coverage& coverage, const CoveredRule& rule, const Hits& hits)
{
    Json out = {
        {"namespace", rule.kind == RULE_CLUSTER_POLICY ? "" : rule.policy_namespace},
    };
    out.update(reference(rule));
    out["direction"] = direction_name(rule.dir);
    out["tier"] = tier_name(rule.in_tier);
    out["mode"] = mode_name(rule.dry_run);
    out["pods"] = rule.pods;
    out["local_pods"] = rule.local_pods;
    const auto found = hits.find(name_of(rule));
    const bool counted = found != hits.end();
    out["allowed_connections"] = counted ? Json(found->second.allowed) : Json();
    out["denied_packets"] = counted ? Json(found->second.denied) : Json();
    out["last_hit"] = counted ? last_hit(found->second) : "";
    out["decides"] = decides(rule.fate);
    out["reason"] = is_dead(rule.fate) ? fate_name(rule.fate) : "";
    out["why"] = why_dead(coverage, rule);
    out["shadowed_by"] = shadows(coverage, rule);
    return out;
}

Json to_json(const Coverage& coverage, const Hits& hits)
{
    Json rules = Json::array(), contradictions = Json::array();
    for (const CoveredRule& rule : coverage.rules)
        rules.push_back(row(coverage, rule, hits));
    for (const auto& [one, other] : coverage.contradictions)
        contradictions.push_back({{"priority", coverage.rules[one].priority},
                                  {"decides", reference(coverage.rules[one])},
                                  {"loses", reference(coverage.rules[other])}});
    return {{"rules", std::move(rules)},
            {"contradictions", std::move(contradictions)},
            {"warnings", coverage.warnings}};
}

} // namespace

Result<std::string> coverage_json(const World& world, const PinnedMaps& maps)
{
    const auto hits = read_hits(maps);
    if (!hits)
        return fail("hits of rules", hits.error());
    return to_json(cover(world), *hits).dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace ebpfd
