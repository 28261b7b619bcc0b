// SPDX-License-Identifier: Apache-2.0
#include "ebpfctl/cell.h"
#include "ebpfctl/command.h"
#include "ebpfctl/local_endpoint.h"

namespace ebpfd::ctl {
namespace {

Json endpoint_row(const LocalEndpoint& local)
{
    Json row = name_fields(local.name);
    row["interface"] = local.interface;
    row["ifindex"] = local.ifindex;
    row["index"] = local.index;
    row["addresses"] = Json::array();
    for (const IpAddress& address : local.addresses)
        row["addresses"].push_back(address.text());
    row["ingress_ruleset"] = ruleset_text(local.ruleset[DIRECTION_INGRESS]);
    row["ingress_isolated"] = local.ruleset[DIRECTION_INGRESS] != RULESET_NONE;
    row["egress_ruleset"] = ruleset_text(local.ruleset[DIRECTION_EGRESS]);
    row["egress_isolated"] = local.ruleset[DIRECTION_EGRESS] != RULESET_NONE;
    return row;
}

const std::vector<Column> COLUMNS{
    {"INDEX", "/index"},
    {"POD", "", false, pod_text},
    {"INTERFACE", "/interface"},
    {"IFINDEX", "/ifindex", true},
    {"ADDRESSES", "/addresses"},
    {"INGRESS RULES", "/ingress_ruleset"},
    {"ISOLATED", "/ingress_isolated"},
    {"EGRESS RULES", "/egress_ruleset"},
    {"ISOLATED", "/egress_isolated"},
};

const std::vector<Column> MEMBERS{
    {"Pod", "", false, pod_text},
    {"Index", "/index"},
    {"Interface", "/interface"},
    {"Interface index", "/ifindex"},
    {"Addresses", "/addresses"},
    {"Ingress rule set", "/ingress_ruleset"},
    {"Ingress isolated", "/ingress_isolated"},
    {"Egress rule set", "/egress_ruleset"},
    {"Egress isolated", "/egress_isolated"},
};

Result<Exit> list(const Context& context)
{
    auto maps = context.maps();
    if (!maps)
        return std::unexpected(maps.error());
    auto locals = shown_endpoints(**maps, context);
    if (!locals)
        return std::unexpected(locals.error());
    Json rows = Json::array();
    for (const LocalEndpoint& local : *locals)
        rows.push_back(endpoint_row(local));
    return context.print({rows, {{"", "", COLUMNS, {}}}});
}

Result<Exit> get(const Context& context, const std::string& pod)
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
    return context.print({endpoint_row(*local), {{"", "", MEMBERS, {}}}});
}

} // namespace

Action define_endpoint_list(CLI::App&)
{
    return list;
}

Action define_endpoint_get(CLI::App& app)
{
    auto pod = std::make_shared<std::string>();
    app.add_option("pod", *pod, "NAMESPACE/NAME")->required()->type_name("POD");
    return [pod](const Context& context) { return get(context, *pod); };
}

} // namespace ebpfd::ctl
