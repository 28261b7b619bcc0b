// SPDX-License-Identifier: Apache-2.0
#include "totals.h"

#include "model/names.h"
#include "name_book.h"
#include "observe/metric_family.h"

#include <cstring>
#include <set>

namespace ebpfd {
namespace {

template <size_t N> std::string text_of(const char (&field)[N])
{
    return label_text({field, strnlen(field, N)});
}

bool denies(uint32_t why)
{
    return why >= REASON_FIRST_DENIAL;
}

bool has_name(uint32_t why)
{
    return reason_name(why) != "unknown";
}

// Visits the rows of one endpoint: visit(direction, reason, audited, row).
template <class Visit> void for_each_row(const Visit& visit)
{
    for (uint32_t dir = 0; dir < DIRECTION_COUNT; dir++)
        for (uint32_t why = 0; why < REASON_COUNT; why++)
            for (const bool audited : {false, true})
                visit(static_cast<direction>(dir), static_cast<reason>(why), audited,
                      counter_row(0, dir, why, audited ? 1 : 0));
}

// As the series of its pod have it; what was only judged as denied was forwarded.
PodTotals::Added by_pod(const std::vector<counter>& rows)
{
    PodTotals::Added out{};
    for_each_row([&](direction dir, reason why, bool audited, uint32_t row) {
        const bool dropped = denies(why) && !audited;
        const auto packets = dropped ? PodCount::dropped_packets : PodCount::forwarded_packets;
        const auto bytes = dropped ? PodCount::dropped_bytes : PodCount::forwarded_bytes;
        out[column(packets, dir)] += rows[row].packets;
        out[column(bytes, dir)] += rows[row].bytes;
    });
    return out;
}

} // namespace

Totals::Totals(size_t most_series)
    : node_(COUNTERS_PER_ENDPOINT), pods_(most_series / pod_columns), verdicts_(most_series)
{
}

Result<void> Totals::count_endpoint(const PinnedMaps& maps, uint32_t index, const SeriesName& pod)
{
    const auto rows = maps.counters(index);
    if (!rows)
        return std::unexpected(rows.error());
    Counts<endpoint_counts> now{};
    for (size_t row = 0; row < rows->size(); row++) {
        now[2 * row] = (*rows)[row].packets;
        now[2 * row + 1] = (*rows)[row].bytes;
    }
    const auto flat = endpoint_increases_.since_last(index, now);
    std::vector<counter> added(COUNTERS_PER_ENDPOINT);
    for (size_t row = 0; row < added.size(); row++) {
        added[row] = {.packets = flat[2 * row], .bytes = flat[2 * row + 1]};
        node_[row].packets += added[row].packets;
        node_[row].bytes += added[row].bytes;
    }
    pods_.add(pod, by_pod(added));
    return {};
}

Result<void> Totals::follow_endpoints(const PinnedMaps& maps, Which which)
{
    const auto names = maps.endpoint_names();
    if (!names)
        return std::unexpected(names.error());
    std::map<uint32_t, SeriesName> present;
    for (const auto& [ifindex, name] : *names)
        present[name.index] = {text_of(name.pod_namespace), text_of(name.pod)};
    for (const auto& [index, pod] : endpoints_) {
        if (present.contains(index))
            continue;
        if (auto counted = count_endpoint(maps, index, pod); !counted)
            return counted;
        endpoint_increases_.forget(index);
    }
    endpoints_ = std::move(present);
    std::set<SeriesName> pods;
    for (const auto& [index, pod] : endpoints_) {
        pods.insert(pod);
        if (which == Which::gone)
            continue;
        if (auto counted = count_endpoint(maps, index, pod); !counted)
            return counted;
    }
    pods_.retain(pods);
    return {};
}

Totals::Rule Totals::describe(const rule_info& info)
{
    const RuleName name = rule_name(info);
    SeriesName allow{label_text(name.policy_text()), name.rule_text(),
                     std::string(direction_name(info.direction)),
                     std::string(verdict_name(VERDICT_ALLOW))};
    SeriesName deny = allow;
    deny.back() = verdict_name(VERDICT_DENY);
    return {std::move(allow), std::move(deny), info.action == ACTION_DENY};
}

Result<void> Totals::count_rule(const PinnedMaps& maps, uint32_t number, const Rule& rule)
{
    const auto hits = maps.hits(number);
    if (!hits)
        return std::unexpected(hits.error());
    const auto [allowed, denied] =
        rule_increases_.since_last(number, {hits->allowed, hits->denied});
    if (allowed > 0 || !rule.denies)
        verdicts_.add(rule.allow, {allowed});
    if (denied > 0 || rule.denies)
        verdicts_.add(rule.deny, {denied});
    return {};
}

Result<void> Totals::follow_rules(const PinnedMaps& maps, Which which)
{
    const auto rules = maps.rules();
    if (!rules)
        return std::unexpected(rules.error());
    for (const auto& [number, rule] : rules_) {
        if (rules->contains(number))
            continue;
        if (auto counted = count_rule(maps, number, rule); !counted)
            return counted;
        rule_increases_.forget(number);
    }
    rules_.clear();
    std::set<SeriesName> shown;
    for (const auto& [number, info] : *rules) {
        const auto rule = rules_.emplace(number, describe(info)).first;
        shown.insert({rule->second.allow, rule->second.deny});
        if (which == Which::gone)
            continue;
        if (auto counted = count_rule(maps, number, rule->second); !counted)
            return counted;
    }
    verdicts_.retain(shown);
    return {};
}

Result<void> Totals::settled(const PinnedMaps& maps)
{
    const std::lock_guard lock(mutex_);
    if (auto done = follow_endpoints(maps, Which::gone); !done)
        return done;
    return follow_rules(maps, Which::gone);
}

std::vector<TrafficTotal> Totals::traffic() const
{
    std::vector<TrafficTotal> out;
    for_each_row([&](direction dir, reason why, bool audited, uint32_t row) {
        if (has_name(why) && (denies(why) || !audited))
            out.push_back({.dir = dir, .why = why, .audited = audited, .total = node_[row]});
    });
    return out;
}

Result<Totals::Values> Totals::read(const PinnedMaps& maps)
{
    const std::lock_guard lock(mutex_);
    auto done = follow_endpoints(maps, Which::all);
    if (done)
        done = follow_rules(maps, Which::all);
    if (!done)
        return std::unexpected(done.error());
    return Values{.traffic = traffic(), .pods = pods_, .verdicts = verdicts_};
}

} // namespace ebpfd
