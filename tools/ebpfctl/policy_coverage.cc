// SPDX-License-Identifier: Apache-2.0
#include "ebpfctl/cell.h"
#include "ebpfctl/command.h"

#include <algorithm>
#include <fmt/format.h>

namespace ebpfd::ctl {
namespace {

struct Wanted {
    std::string policy;
    bool dead = false;
};

// Connections opened and packets refused: of an open connection no further packet.
std::string hits_text(const Json& row)
{
    const Json &allowed = member(row, "/allowed_connections"),
               &denied = member(row, "/denied_packets");
    if (!allowed.is_number() || !denied.is_number())
        return "-";
    return std::to_string(allowed.get<uint64_t>() + denied.get<uint64_t>());
}

std::string decides_text(const Json& row)
{
    const std::string decides = string_at(row, "/decides");
    if (decides == "never")
        return "never: " + string_at(row, "/why");
    return decides == "yes" ? decides : "not on this node";
}

const std::vector<Column> COLUMNS{
    {"POLICY", "/policy"},           {"RULE", "/rule"},
    {"TIER", "/tier", true},         {"ACTION", "/action"},
    {"MODE", "/mode"},
    {"PODS", "/pods", true},         {"LOCAL PODS", "/local_pods", true},
    {"HITS", "", false, hits_text},
    {"LAST HIT", "/last_hit"},
    {"DECIDES", "", false, decides_text},
    {"FILE", "", false, place_text},
};

std::string rule_at(const Json& row, const std::string& where)
{
    const Json& rule = member(row, where);
    return fmt::format("{} {} ({}, {})", string_at(rule, "/policy"), string_at(rule, "/rule"),
                       string_at(rule, "/action"), place_text(rule));
}

std::vector<Cell> contradiction_line(const Json& row, bool)
{
    return {{rule_at(row, "/decides")},
            {"contradicts", Color::yellow},
            {rule_at(row, "/loses") + ": the former decides, by the policy's name alone"}};
}

// An isolation names all its policies.
bool names(const std::string& policies, const std::string& policy)
{
    return ("," + policies + ",").find("," + policy + ",") != std::string::npos;
}

Result<Json> chosen(const Context& context, const Wanted& wanted, const Json& rules)
{
    std::string policy;
    if (!wanted.policy.empty()) {
        auto name = context.full_name(wanted.policy);
        if (!name)
            return std::unexpected(name.error());
        policy = name->text();
    }
    Json rows = Json::array();
    bool known = policy.empty();
    for (const Json& rule : rules) {
        const bool named = policy.empty() ? context.shows(string_at(rule, "/namespace"))
                                          : names(string_at(rule, "/policy"), policy);
        known = known || named;
        if (named && (!wanted.dead || string_at(rule, "/decides") == "never"))
            rows.push_back(rule);
    }
    if (!known)
        return fail(ENOENT, fmt::format("there is no rule of a policy {}", policy));
    return rows;
}

Result<Exit> coverage(const Context& context, const Wanted& wanted)
{
    auto answer = context.get("/v1/policy/coverage");
    if (!answer)
        return fail("policy coverage", answer.error());
    auto rows = chosen(context, wanted, member(*answer, "/rules"));
    if (!rows)
        return std::unexpected(rows.error());
    (*answer)["rules"] = std::move(*rows);
    for (const Json& warning : member(*answer, "/warnings"))
        context.note(value_text(warning));
    return context.print({*answer,
                          {{"", "/rules", COLUMNS, {}},
                           {"Equal priorities", "/contradictions", {}, contradiction_line}}});
}

} // namespace

Action define_policy_coverage(CLI::App& app)
{
    auto wanted = std::make_shared<Wanted>();
    app.add_option("policy", wanted->policy,
                   "NAMESPACE/NAME, or NAME with -n; KIND/NAME of a cluster-wide one")
        ->type_name("POLICY");
    app.add_flag("--dead", wanted->dead, "Only rules that can never decide");
    return [wanted](const Context& context) { return coverage(context, *wanted); };
}

} // namespace ebpfd::ctl
