// SPDX-License-Identifier: Apache-2.0
#include "plans.h"

using namespace ebpfd;

uint32_t add_rule(Plan& plan, const std::string& policy, uint16_t index)
{
    PlanRule rule;
    rule.key = "ingress " + policy + " " + std::to_string(index);
    rule.index = index;
    rule.policy_namespace = "shop";
    rule.policy = policy;
    rule.origin = {.file = "/policies/" + policy + ".yaml", .line = 10u + index, .column = 1};
    plan.rules.push_back(rule);
    return static_cast<uint32_t>(plan.rules.size() - 1);
}

uint32_t add_identity(Plan& plan, const std::string& key, const std::string& address)
{
    plan.identities.push_back({key});
    const auto index = static_cast<uint32_t>(plan.identities.size() - 1);
    plan.addresses.push_back({*IpAddress::parse(address), index});
    return index;
}

uint32_t add_ruleset(Plan& plan, const std::string& key, uint32_t allow, uint32_t isolate,
                     uint32_t identity)
{
    PlanRuleset set;
    set.key = key;
    set.bits = {{allow, ACTION_ALLOW, TIER_NETWORK_POLICY},
                {isolate, ACTION_DENY, TIER_NETWORK_POLICY}};
    set_bit(set.any_peer, 1);
    set_bit(set.any_port, 1);
    set.tier_end = {0, 2, 2};
    Bitmap first{};
    set_bit(first, 0);
    set.peers.push_back({identity, first});
    set.cidrs.push_back({*Cidr::parse("192.0.2.0/24"), first});
    set.ports.push_back({.protocol = 6, .port = 80, .prefix = 16, .rules = first});
    plan.rulesets.push_back(set);
    return static_cast<uint32_t>(plan.rulesets.size() - 1);
}

void add_endpoint(Plan& plan, uint32_t ifindex, const std::string& pod, uint32_t ruleset)
{
    PlanEndpoint row;
    row.ifindex = ifindex;
    row.interface = pod;
    row.pod_namespace = pod.empty() ? "" : "shop";
    row.pod = pod;
    row.ruleset = {ruleset, PLAN_RULESET_NONE};
    plan.endpoints.push_back(row);
}

Plan web_plan()
{
    Plan plan;
    const uint32_t allow = add_rule(plan, "web-policy", 0);
    const uint32_t isolate = add_rule(plan, "web-policy", 1);
    add_identity(plan, "web", "10.1.0.10");
    const uint32_t db = add_identity(plan, "db", "10.1.0.20");
    const uint32_t set = add_ruleset(plan, "web ingress", allow, isolate, db);
    add_endpoint(plan, WEB_INTERFACE, "web", set);
    return plan;
}
