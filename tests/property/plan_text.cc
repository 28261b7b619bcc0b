// SPDX-License-Identifier: Apache-2.0
#include "property/plan_text.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

using namespace ebpfd;

namespace property {

using Lines = std::vector<std::string>;

static std::string identity_text(const Plan& plan, uint32_t identity)
{
    if (identity == PLAN_IDENTITY_NODE)
        return "node";
    return identity == PLAN_IDENTITY_SERVICE ? "service" : plan.identities.at(identity).key;
}

static std::string ruleset_text(const Plan& plan, uint32_t ruleset)
{
    if (ruleset == PLAN_RULESET_NONE)
        return "none";
    return ruleset == PLAN_RULESET_CLOSED ? "closed" : plan.rulesets.at(ruleset).key;
}

static Lines peer_lines(const Plan& plan, const std::vector<PlanPeer>& rows)
{
    Lines lines;
    for (const PlanPeer& row : rows)
        lines.push_back(fmt::format("{} {}", identity_text(plan, row.identity), row.rules));
    std::ranges::sort(lines);
    return lines;
}

static std::string text(const Plan& plan, const PlanRuleset& set)
{
    Lines lines;
    for (const PlanBit& bit : set.bits)
        lines.push_back(fmt::format("{} {} {}", plan.rules.at(bit.rule).key, int{bit.action},
                                    int{bit.in_tier}));
    lines.push_back(fmt::format("{} {} {} {} {}", set.any_peer, set.any_pod, set.any_port,
                                set.watching, set.tier_end));
    for (const auto* rows : {&set.peers, &set.rehearsed_services})
        lines.push_back(fmt::format("{}", peer_lines(plan, *rows)));
    for (const PlanCidr& row : set.cidrs)
        lines.push_back(fmt::format("{} {}", row.cidr.text(), row.rules));
    for (const PlanPort& row : set.ports)
        lines.push_back(fmt::format("{} {} {} {}", row.protocol, row.port, row.prefix, row.rules));
    return fmt::format("rule set {}: {}", set.key, fmt::join(lines, "; "));
}

static std::string text(const Plan& plan, const PlanEndpoint& endpoint)
{
    Lines addresses;
    for (const IpAddress& address : endpoint.addresses)
        addresses.push_back(address.text());
    return fmt::format("endpoint {} {} {}/{} {} {} {}", endpoint.ifindex, endpoint.interface,
                       endpoint.pod_namespace, endpoint.pod, addresses,
                       ruleset_text(plan, endpoint.ruleset[DIRECTION_INGRESS]),
                       ruleset_text(plan, endpoint.ruleset[DIRECTION_EGRESS]));
}

static std::string text(const PlanRule& rule)
{
    return fmt::format("rule {} {} {} {} {} {} {} {} {}:{}:{}", rule.key, int{rule.kind},
                       int{rule.dir}, int{rule.action}, rule.index, rule.dry_run,
                       rule.policy_namespace, rule.policy, rule.origin.file, rule.origin.line,
                       rule.origin.column);
}

Lines text_of(const Plan& plan)
{
    Lines lines;
    for (size_t place = 0; place < plan.rules.size(); ++place)
        if (plan.rules.part(place))
            lines.push_back(text(plan.rules[place]));
    for (size_t place = 0; place < plan.rulesets.size(); ++place)
        if (plan.rulesets.part(place))
            lines.push_back(text(plan, plan.rulesets[place]));
    for (size_t place = 0; place < plan.identities.size(); ++place)
        if (plan.identities.part(place))
            lines.push_back("identity " + plan.identities[place].key);
    for (const PlanAddress& address : plan.addresses)
        lines.push_back(fmt::format("address {} {}", address.address.text(),
                                    identity_text(plan, address.identity)));
    for (const PlanService& service : plan.services)
        lines.push_back(fmt::format("service {} {} {} {}", service.address.text(), service.port,
                                    service.protocol, identity_text(plan, service.identity)));
    for (const PlanEndpoint& endpoint : plan.endpoints)
        lines.push_back(text(plan, endpoint));
    for (const std::string& warning : plan.warnings)
        lines.push_back("warning " + warning);
    std::ranges::sort(lines);
    return lines;
}

} // namespace property
