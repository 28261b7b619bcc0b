// SPDX-License-Identifier: Apache-2.0
#include "suggest.h"

#include "analysis/impact.h"
#include "analysis/suggestion.h"
#include "base/rfc3339.h"
#include "model/names.h"
#include "overlay.h"
#include "policy/compile.h"
#include "sightings.h"

#include <algorithm>
#include <cerrno>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <set>

namespace ebpfd {
namespace {

using Json = nlohmann::ordered_json;

// The connections that policies are made from, and what became of the others.
struct Material {
    std::vector<Connection> used;
    size_t refused = 0;   // then, or by what is in force now
    size_t not_begun = 0; // which side opened it was not seen
    Sightings seen;       // without its list
};

Material sift(Sightings seen, const Plan& in_force, const AddressBook& book)
{
    Material material;
    const PlanJudge judge(in_force);
    for (Connection& connection : join(seen.list, book)) {
        if (!connection.passed || !rule_on(connection, judge).allows())
            material.refused++;
        else if (!connection.begun)
            material.not_begun++;
        else
            material.used.push_back(std::move(connection));
    }
    seen.list.clear();
    material.seen = std::move(seen);
    return material;
}

// The very text is judged, read as a file in the policy folder would be.
Result<void> prove(const World& world, const std::string& yaml, const Plan& in_force,
                   const Material& material, const AddressBook& book, const char* how)
{
    const auto next = overlay(world, {.files = {{"suggested.yaml", yaml}}, .remove = {}});
    if (!next)
        return std::unexpected(next.error());
    if (!next->errors.empty())
        return fail(0, "what was made is no policy: " + next->errors.front().text());
    const auto plan = compile(next->world);
    if (!plan)
        return std::unexpected(plan.error());
    const Impact impact = compare_rulings(in_force, *plan, material.used, book);
    if (impact.cut == 0)
        return {};
    const ImpactGroup& group = impact.groups.front();
    const PlanRule rule = group.after.rule.value_or(PlanRule{});
    return fail(E2BIG,
                fmt::format("what was made would, {}, cut {} -> {} port {} {} ({} -> {}) by {} {}: "
                            "nothing is suggested",
                            how, group.source.text(), group.destination.text(), group.port,
                            protocol_name(group.protocol), group.example.source.text(),
                            group.example.destination.text(),
                            policy_text(rule.kind, rule.policy_namespace, rule.policy),
                            rule_text(rule.kind, rule.dir, rule.index)));
}

World without_policies_of(const World& world, const std::vector<Suggestion>& suggestions)
{
    std::set<std::string> namespaces;
    for (const Suggestion& suggestion : suggestions)
        namespaces.insert(suggestion.workload.in_namespace);
    World out = world;
    std::erase_if(out.policies.edit(), [&](const auto& policy) {
        return namespaces.contains(policy->policy_namespace);
    });
    return out;
}

int64_t observed_since(const Material& material)
{
    int64_t since = material.seen.since_ns.value_or(0);
    for (const Connection& connection : material.used)
        since = since == 0 ? connection.seen_ns : std::min(since, connection.seen_ns);
    return since;
}

std::string head_of(const Material& material, const std::string& node)
{
    const auto open = std::ranges::count_if(material.used, &Connection::open);
    std::string head = fmt::format(
        "# What node {} saw since {}: connections: {}, open now: {}.\n"
        "# None of them would be cut, by these policies added to what is in force or in place of\n"
        "# the NetworkPolicies of their namespaces: the agent has judged each. What pods do on\n"
        "# other nodes, and what they do seldom, was not seen.\n",
        node, rfc3339(observed_since(material)), material.used.size(), open);
    if (material.not_begun > 0)
        head += fmt::format("# {} connections are older than what was seen: which side opened them "
                            "is not known, and\n# they may be cut.\n",
                            material.not_begun);
    return head;
}

Json to_json(const Suggestion& suggestion)
{
    const auto count = [&](direction dir) {
        return suggestion.rules[dir] ? Json(suggestion.rules[dir]->size()) : Json();
    };
    return {{"namespace", suggestion.workload.in_namespace},
            {"name", suggestion.name},
            {"workload", suggestion.workload.name},
            {"workload_kind", suggestion.workload.kind},
            {"pods", suggestion.selector.pods},
            {"local_pods", suggestion.local_pods},
            {"flows", suggestion.flows},
            {"ingress_rules", count(DIRECTION_INGRESS)},
            {"egress_rules", count(DIRECTION_EGRESS)}};
}

Result<Json> suggestions_of(const Sources& sources, const World& world,
                            const SuggestionScope& scope)
{
    const auto in_force = compile(world);
    if (!in_force)
        return fail("in force", in_force.error());
    const auto maps = PinnedMaps::open(sources.config.bpffs);
    if (!maps)
        return std::unexpected(maps.error());
    const AddressBook book(world);
    auto seen = gather_sightings(**maps, sources.observer, book);
    if (!seen)
        return std::unexpected(seen.error());
    const Material material = sift(std::move(*seen), *in_force, book);
    const auto suggestions = suggest(material.used, book, scope);
    Json policies = Json::array();
    std::string yaml;
    for (const Suggestion& suggestion : suggestions) {
        yaml += yaml_of(suggestion);
        policies.push_back(to_json(suggestion));
    }
    if (!suggestions.empty()) {
        if (auto added = prove(world, yaml, *in_force, material, book, "added to what is in force");
            !added)
            return std::unexpected(added.error());
        if (auto alone = prove(without_policies_of(world, suggestions), yaml, *in_force, material,
                               book, "in place of the NetworkPolicies of its namespaces");
            !alone)
            return std::unexpected(alone.error());
        yaml.insert(0, head_of(material, sources.agent.node_name));
    }
    return Json{
        {"policies", std::move(policies)},
        {"yaml", std::move(yaml)},
        {"flows",
         {{"proven", material.used.size()},
          {"refused", material.refused},
          {"not_begun", material.not_begun},
          {"not_judged", material.seen.not_judged}}},
        {"history",
         {{"since", material.seen.since_ns ? Json(rfc3339(*material.seen.since_ns)) : Json()},
          {"records", material.seen.records}}}};
}

SuggestionScope scope_of(const HttpRequest& request)
{
    SuggestionScope scope;
    if (const auto name = request.value("namespace"); !name.empty())
        scope.in_namespace = name;
    if (const auto name = request.value("workload"); !name.empty())
        scope.workload = name;
    scope.isolate = request.value("isolate") == "1";
    return scope;
}

bool is_here(const World& world, const SuggestionScope& scope)
{
    return std::ranges::any_of(world.interfaces, [&](const LocalInterface& local) {
        return local.pod != nullptr && !local.pod->host_network &&
               scope.holds(workload_of(*local.pod));
    });
}

} // namespace

HttpReply suggest_reply(const Sources& sources, const HttpRequest& request)
{
    const auto view = sources.board.latest();
    const SuggestionScope scope = scope_of(request);
    if (!is_here(*view->world, scope))
        return error_reply(404,
                           fmt::format("no pod of {} is on this node",
                                       scope.workload       ? "workload " + *scope.workload
                                       : scope.in_namespace ? "namespace " + *scope.in_namespace
                                                            : "any kind"));
    const auto made = suggestions_of(sources, *view->world, scope);
    if (made)
        return {.body = made->dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"};
    const bool would_cut = made.error().code == 0 || made.error().code == E2BIG;
    return error_reply(would_cut ? 409 : 500, made.error().message);
}

} // namespace ebpfd
