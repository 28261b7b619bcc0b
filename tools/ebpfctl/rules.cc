// SPDX-License-Identifier: Apache-2.0
#include "ebpfctl/cell.h"
#include "ebpfctl/command.h"
#include "ebpfctl/local_endpoint.h"
#include "ebpfctl/rule_view.h"
#include "model/names.h"

#include <algorithm>
#include <fmt/format.h>

namespace ebpfd::ctl {
namespace {

const std::vector<Column> COLUMNS{
    {"DIRECTION", "/direction"},
    {"ORDER", "/order"},
    {"TIER", "/tier"},
    {"ACTION", "/action"},
    {"MODE", "/mode"},
    {"POLICY", "/policy"},
    {"RULE", "/rule"},
    {"FILE", "", false, place_text},
    {"ALLOWED", "/allowed_connections"},
    {"DENIED", "/denied_packets"},
};

Result<Json> rule_row(const PinnedMaps& maps, const Rules& rules, const ruleset_rule& rule)
{
    auto hits = maps.hits(rule.rule);
    if (!hits)
        return std::unexpected(hits.error());
    Json row = {{"tier", tier_name(rule.tier)}, {"action", action_name(rule.action)}};
    const auto info = rules.find(rule.rule);
    row["mode"] = info == rules.end() ? "" : mode_name(info->second.dry_run != 0);
    row.update(rule_fields(rules, rule.rule));
    row["allowed_connections"] = hits->allowed;
    row["denied_packets"] = hits->denied;
    return row;
}

Result<void> add_direction(Json& rows, const PinnedMaps& maps, const LocalEndpoint& local,
                           direction dir)
{
    auto set = maps.get_ruleset(local.ruleset[dir]);
    if (!set)
        return fail(fmt::format("rule set {}", local.ruleset[dir]), set.error());
    auto rules = maps.rules();
    if (!rules)
        return std::unexpected(rules.error());
    for (uint32_t order = 0; order < std::min<uint32_t>(set->count, RULES_MAX); order++) {
        auto row = rule_row(maps, *rules, set->rule[order]);
        if (!row)
            return std::unexpected(row.error());
        rows.push_back({{"direction", direction_name(dir)}, {"order", order}});
        rows.back().update(*row);
    }
    return {};
}

Result<Exit> list(const Context& context, const std::string& pod)
{
    auto name = context.full_name(pod);
    if (!name)
        return std::unexpected(name.error());
    auto maps = context.maps();
    if (!maps)
        return std::unexpected(maps.error());
    auto local = find_endpoint(**maps, *name);
    if (!local)
        return std::unexpected(local.error());
    Json rows = Json::array();
    for (direction dir : {DIRECTION_INGRESS, DIRECTION_EGRESS}) {
        uint32_t number = local->ruleset[dir];
        if (number < RULESET_FIRST) {
            context.note(fmt::format("{}: {}", direction_name(dir),
                                     number == RULESET_NONE ? "not isolated, everything passes"
                                                            : "closed, nothing passes"));
            continue;
        }
        if (auto added = add_direction(rows, **maps, *local, dir); !added)
            return std::unexpected(added.error());
    }
    return context.print({rows, {{"", "", COLUMNS, {}}}});
}

} // namespace

Action define_policy_rules(CLI::App& app)
{
    auto pod = std::make_shared<std::string>();
    app.add_option("pod", *pod, "NAMESPACE/NAME of a local pod")->required()->type_name("POD");
    return [pod](const Context& context) { return list(context, *pod); };
}

} // namespace ebpfd::ctl
