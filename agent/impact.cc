// SPDX-License-Identifier: Apache-2.0
#include "impact.h"

#include "analysis/impact.h"
#include "base/rfc3339.h"
#include "kernel/capacity.h"
#include "model/names.h"
#include "overlay.h"
#include "policy/compile.h"
#include "sightings.h"

#include <algorithm>
#include <cerrno>
#include <fmt/format.h>
#include <iterator>
#include <nlohmann/json.hpp>

namespace ebpfd {
namespace {

using Json = nlohmann::ordered_json;

HttpReply reply(const Json& json)
{
    return {.body = json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"};
}

Json to_json(const std::vector<FileError>& errors)
{
    Json out = Json::array();
    for (const auto& [origin, reason] : errors)
        out.push_back({{"file", origin.file},
                       {"line", origin.line},
                       {"column", origin.column},
                       {"reason", reason}});
    return out;
}

Json to_json(const Workload& workload)
{
    return {{"kind", workload.kind}, {"namespace", workload.in_namespace}, {"name", workload.name}};
}

Json to_json(const Decided& decided)
{
    Json out{{"reason", reason_name(decided.why)},
             {"policy", ""},
             {"rule", ""},
             {"file", ""},
             {"line", 0}};
    if (!decided.rule)
        return out;
    const PlanRule& rule = *decided.rule;
    out["policy"] =
        policy_text(static_cast<uint32_t>(rule.kind), rule.policy_namespace, rule.policy);
    out["rule"] =
        rule_text(static_cast<uint32_t>(rule.kind), static_cast<uint32_t>(rule.dir), rule.index);
    out["file"] = rule.origin.file;
    out["line"] = rule.origin.line;
    return out;
}

Json end_of(const AddressBook& book, const IpAddress& address, uint16_t port)
{
    const Pod* pod = book.pod(address);
    return {{"namespace", pod ? pod->pod_namespace : ""},
            {"pod", pod ? pod->name : ""},
            {"ip", address.text()},
            {"port", port}};
}

Json example_of(const AddressBook& book, const Connection& connection)
{
    const uint16_t from = connection.destination_port == 0 ? uint16_t{0} : connection.source_port;
    return {{"source", end_of(book, connection.source, from)},
            {"destination", end_of(book, connection.destination, connection.destination_port)}};
}

Json to_json(const AddressBook& book, const ImpactGroup& group)
{
    Json out{{"change", group.cut ? "cut" : "newly-allowed"},
             {"source", to_json(group.source)},
             {"destination", to_json(group.destination)},
             {"port", group.port},
             {"protocol", protocol_name(group.protocol)},
             {"direction", direction_name(static_cast<uint32_t>(group.dir))},
             {"flows", group.flows},
             {"open", group.open},
             {"last_seen", rfc3339(group.example.seen_ns)}};
    out.update(to_json(group.after));
    out["before"] = to_json(group.before);
    out["example"] = example_of(book, group.example);
    return out;
}

Json totals(const Impact& impact, const Sightings& seen)
{
    return {{"judged", impact.judged},       {"open", impact.open},
            {"unchanged", impact.unchanged}, {"cut", impact.cut},
            {"cut_open", impact.cut_open},   {"newly_allowed", impact.newly_allowed},
            {"not_judged", seen.not_judged}};
}

Json history(const Sightings& seen)
{
    return {{"since", seen.since_ns ? Json(rfc3339(*seen.since_ns)) : Json()},
            {"records", seen.records}};
}

// What the compiler says of the next world and did not say of the one in force.
std::vector<std::string> new_warnings(const Plan& before, const Plan& after)
{
    std::vector<std::string> out;
    std::ranges::set_difference(after.warnings, before.warnings, std::back_inserter(out));
    return out;
}

Result<Json> impact_of(const Sources& sources, const World& world, const Overlay& next)
{
    const auto before = compile(world);
    if (!before)
        return fail("in force", before.error());
    const auto after = compile(next.world);
    if (!after)
        return std::unexpected(after.error());
    if (auto fits = check_fit(*before, *after, sources.config.capacities); !fits)
        return std::unexpected(fits.error());
    const auto maps = PinnedMaps::open(sources.config.bpffs);
    if (!maps)
        return std::unexpected(maps.error());
    const AddressBook book(world);
    const auto seen = gather_sightings(**maps, sources.observer, book);
    if (!seen)
        return std::unexpected(seen.error());
    const Impact impact = compare_rulings(*before, *after, join(seen->list, book), book);
    Json groups = Json::array();
    for (const ImpactGroup& group : impact.groups)
        groups.push_back(to_json(book, group));
    return Json{{"errors", Json::array()},
                {"changes", std::move(groups)},
                {"flows", totals(impact, *seen)},
                {"history", history(*seen)},
                {"policies",
                 {{"added", next.added}, {"replaced", next.replaced}, {"removed", next.removed}}},
                {"notes", next.notes},
                {"warnings", new_warnings(*before, *after)}};
}

} // namespace

HttpReply impact_reply(const Sources& sources, const HttpRequest& request)
{
    const auto proposal = parse_proposal(request.body);
    if (!proposal)
        return error_reply(400, "want {\"files\": [{\"name\", \"text\"}], \"remove\": [names]}");
    const auto view = sources.board.latest();
    const auto next = overlay(*view->world, *proposal);
    if (!next)
        return error_reply(404, next.error().message);
    if (!next->errors.empty())
        return reply({{"errors", to_json(next->errors)}, {"notes", next->notes}});
    const auto impact = impact_of(sources, *view->world, *next);
    if (impact)
        return reply(*impact);
    // A rule set that is too long is the compiler's, a full table the applier's.
    const bool too_much = impact.error().code == 0 || impact.error().code == E2BIG;
    return error_reply(too_much ? 409 : 500, impact.error().message);
}

} // namespace ebpfd
