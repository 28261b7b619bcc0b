// SPDX-License-Identifier: Apache-2.0
#include "rule_totals.h"

#include "model/names.h"
#include "name_book.h"
#include "observe/metric_family.h"

#include <set>

namespace ebpfd {

RuleTotals::Rule RuleTotals::describe(const rule_info& info)
{
    const RuleName name = rule_name(info);
    SeriesName allow{label_text(name.policy_text()), name.rule_text(),
                     std::string(direction_name(info.direction)),
                     std::string(verdict_name(info.dry_run ? VERDICT_WOULD_ALLOW : VERDICT_ALLOW))};
    SeriesName deny = allow;
    deny.back() = verdict_name(info.dry_run ? VERDICT_WOULD_DENY : VERDICT_DENY);
    return {std::move(allow), std::move(deny), info.action == ACTION_DENY};
}

Result<void> RuleTotals::count(const PinnedMaps& maps, uint32_t number, const Rule& rule)
{
    const auto hits = maps.hits(number);
    if (!hits)
        return std::unexpected(hits.error());
    const auto [allowed, denied] = increases_.since_last(number, {hits->allowed, hits->denied});
    if (allowed > 0 || !rule.denies)
        verdicts_.add(rule.allow, {allowed});
    if (denied > 0 || rule.denies)
        verdicts_.add(rule.deny, {denied});
    return {};
}

Result<void> RuleTotals::follow(const PinnedMaps& maps, Reading reading)
{
    const auto rules = maps.rules();
    if (!rules)
        return std::unexpected(rules.error());
    auto done = read_gone(rules_, *rules, [&](const auto& gone) {
        auto counted = count(maps, gone.first, gone.second);
        if (!counted)
            return counted;
        increases_.forget(gone.first);
        return counted;
    });
    if (!done)
        return done;
    rules_.clear();
    std::set<SeriesName> shown;
    for (const auto& [number, info] : *rules) {
        const Rule& rule = rules_.emplace(number, describe(info)).first->second;
        shown.insert({rule.allow, rule.deny});
    }
    if (reading == Reading::all)
        for (const auto& [number, rule] : rules_)
            if (auto counted = count(maps, number, rule); !counted)
                return counted;
    verdicts_.retain(shown);
    return {};
}

} // namespace ebpfd
