// SPDX-License-Identifier: Apache-2.0
#include "api/client.h"
#include "ebpfctl/cell.h"
#include "ebpfctl/command.h"

namespace ebpfd::ctl {
namespace {

std::string policy_text(const Json& row)
{
    const std::string in_namespace = string_at(row, "/namespace");
    return (in_namespace.empty() ? string_at(row, "/kind") : in_namespace) + "/" +
           string_at(row, "/name");
}

const std::vector<Column> COLUMNS{
    {"POLICY", "", false, policy_text}, {"KIND", "/kind", true},
    {"MODE", "/mode"},
    {"SELECTOR", "/pod_selector"},      {"INGRESS RULES", "/ingress_rules"},
    {"EGRESS RULES", "/egress_rules"},  {"PODS", "/selected_pods"},
    {"FILE", "", false, place_text},
};

const std::vector<Column> MEMBERS{
    {"Kind", "/kind"},
    {"Policy", "", false, policy_text},
    {"File", "", false, place_text},
    {"Mode", "/mode"},
    {"Tier", "/tier"},
    {"Priority", "/priority"},
    {"Selector", "/pod_selector"},
    {"Selected pods", "/selected_pods"},
    {"Ingress rules", "/ingress_rules"},
    {"Egress rules", "/egress_rules"},
};

const std::vector<Column> RULE_COLUMNS{
    {"LINE", "/line"},
    {"ACTION", "/action"},
    {"PEERS", "/peers"},
    {"PORTS", "/ports"},
};

Result<Exit> list(const Context& context)
{
    auto policies = context.get("/v1/policies");
    if (!policies)
        return fail("list policies", policies.error());
    Json rows = Json::array();
    for (const Json& policy : *policies)
        if (context.shows(string_at(policy, "/namespace")))
            rows.push_back(policy);
    return context.print({rows, {{"", "", COLUMNS, {}}}});
}

Result<Exit> get(const Context& context, const std::string& text)
{
    auto name = context.full_name(text);
    if (!name)
        return std::unexpected(name.error());
    auto policy = context.get("/v1/policies/" + url_encode(name->in_namespace) + "/" +
                              url_encode(name->name));
    if (!policy)
        return fail("policy " + name->text(), policy.error());
    return context.print({*policy,
                          {{"", "", MEMBERS, {}},
                           {"Ingress", "/ingress", RULE_COLUMNS, {}},
                           {"Egress", "/egress", RULE_COLUMNS, {}}}});
}

} // namespace

Action define_policy_list(CLI::App&)
{
    return list;
}

Action define_policy_get(CLI::App& app)
{
    auto name = std::make_shared<std::string>();
    app.add_option("name", *name,
                   "NAMESPACE/NAME, or NAME with -n; KIND/NAME of a cluster-wide one")
        ->required()
        ->type_name("NAME");
    return [name](const Context& context) { return get(context, *name); };
}

} // namespace ebpfd::ctl
