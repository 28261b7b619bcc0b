// SPDX-License-Identifier: Apache-2.0
#include "policy/compile.h"

#include "policy/identities.h"
#include "policy/rule_bits.h"
#include "policy/ruleset_pool.h"
#include "policy/services.h"
#include "policy/subjects.h"

#include <algorithm>

namespace ebpfd {

namespace {

// Pods own their addresses, nodes come before pods, and what is left are cluster IPs.
std::vector<PlanAddress> place_addresses(const World& world, const Identities& identities)
{
    std::vector<PlanAddress> result;
    for (const IpAddress& address : world.node_addresses)
        result.push_back({address, PLAN_IDENTITY_NODE});
    for (const auto& [address, identity] : identities.addresses())
        result.push_back({address, identity});
    std::set<IpAddress> fronts;
    for (const auto& service : world.services)
        fronts.insert(service->cluster_ips.begin(), service->cluster_ips.end());
    for (const IpAddress& address : fronts) {
        if (identities.owner(address) == nullptr && !world.node_addresses.contains(address))
            result.push_back({address, PLAN_IDENTITY_SERVICE});
    }
    std::ranges::sort(result, {}, &PlanAddress::address);
    return result;
}

void place_services(const std::vector<ServicePoint>& services, Plan& plan)
{
    for (const ServicePoint& service : services) {
        const auto identity = static_cast<uint32_t>(plan.identities.size());
        plan.identities.push_back({service.key});
        plan.services.push_back({service.front.address, service.front.port,
                                 static_cast<uint8_t>(service.front.protocol), identity});
    }
}

Result<PlanEndpoint> place_endpoint(const Subject& subject, RulesetPool& rulesets)
{
    const LocalInterface& local = *subject.local;
    PlanEndpoint endpoint{.ifindex = local.ifindex,
                          .interface = local.name,
                          .pod_namespace = {},
                          .pod = {},
                          .addresses = {}};
    if (local.pod == nullptr) {
        endpoint.ruleset = {PLAN_RULESET_CLOSED, PLAN_RULESET_CLOSED};
        return endpoint;
    }
    endpoint.pod_namespace = local.pod->pod_namespace;
    endpoint.pod = local.pod->name;
    endpoint.addresses = local.pod->addresses;
    for (const direction dir : {DIRECTION_INGRESS, DIRECTION_EGRESS}) {
        const auto number = rulesets.find(subject, dir);
        if (!number)
            return std::unexpected(number.error());
        endpoint.ruleset[dir] = *number;
    }
    return endpoint;
}

} // namespace

Result<Plan> compile(const World& world)
{
    Plan plan;
    Identities identities(world);
    plan.warnings = identities.warnings();
    for (const Identity& identity : identities.all())
        plan.identities.push_back({identity.key});
    plan.addresses = place_addresses(world, identities);
    const auto services = resolve_services(world, identities, plan.warnings);
    place_services(services, plan);

    RuleBits bits(world, identities);
    RulesetPool rulesets(world, bits, identities, services);
    for (const Subject& subject : find_subjects(world, identities, plan.warnings)) {
        auto endpoint = place_endpoint(subject, rulesets);
        if (!endpoint)
            return fail("compile", std::move(endpoint.error()));
        plan.endpoints.push_back(std::move(*endpoint));
    }
    plan.rulesets = rulesets.take();
    plan.rules = bits.rules();
    std::ranges::sort(plan.warnings);
    return plan;
}

} // namespace ebpfd
