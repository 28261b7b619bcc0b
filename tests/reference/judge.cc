// SPDX-License-Identifier: Apache-2.0
#include "reference/judge.h"

#include "reference/match.h"

#include <algorithm>

using namespace ebpfd;

namespace reference {

// An address and port that a destination stands for.
struct Target {
    IpAddress address;
    uint16_t port = 0;
};

static void add_backends(const World& world, const Service& service, const ServicePort& port,
                         const IpAddress& cluster_ip, std::vector<Target>& targets)
{
    for (const auto& slice : world.slices) {
        if (slice->slice_namespace != service.service_namespace || slice->service != service.name)
            continue;
        for (const ServicePort& target : slice->ports)
            for (const IpAddress& ready : slice->ready_addresses)
                if (target.name == port.name && target.protocol == port.protocol &&
                    same_family(ready, cluster_ip))
                    targets.push_back({ready, target.port});
    }
}

// The ready endpoints behind the packet's destination, if that is a service's cluster IP.
static std::vector<Target> backends(const World& world, const Packet& packet)
{
    std::vector<Target> targets;
    for (const auto& service : world.services) {
        if (std::ranges::count(service->cluster_ips, packet.destination) == 0)
            continue;
        for (const ServicePort& port : service->ports)
            if (static_cast<uint8_t>(port.protocol) == packet.protocol &&
                port.port == packet.destination_port)
                add_backends(world, *service, port, packet.destination, targets);
    }
    return targets;
}

static bool ingress_rule_matches(const World& world, const NetworkPolicy& policy,
                                 const PolicyRule& rule, const Packet& packet, const Pod& pod)
{
    return peer_matches(world, policy, rule, packet.source) &&
           port_matches(rule, packet.protocol, packet.destination_port, &pod);
}

// As the destination stands, or by any endpoint that it stands for.
static bool egress_rule_matches(const World& world, const NetworkPolicy& policy,
                                const PolicyRule& rule, const Packet& packet)
{
    std::vector<Target> targets = backends(world, packet);
    targets.push_back({packet.destination, packet.destination_port});
    for (const Target& target : targets)
        if (peer_matches(world, policy, rule, target.address) &&
            port_matches(rule, packet.protocol, target.port, owner(world, target.address)))
            return true;
    return false;
}

static bool leads_back(const World& world, const Packet& packet, const Pod& pod)
{
    if (packet.dir == DIRECTION_EGRESS)
        for (const Target& target : backends(world, packet))
            if (owner(world, target.address) == &pod)
                return true;
    return false;
}

static std::vector<const NetworkPolicy*> isolating_policies(const World& world, const Pod& pod,
                                                            direction dir)
{
    std::vector<const NetworkPolicy*> isolating;
    for (const auto& policy : world.policies) {
        const auto& rules = dir == DIRECTION_INGRESS ? policy->ingress : policy->egress;
        if (rules && policy_selects(*policy, pod))
            isolating.push_back(policy.get());
    }
    std::ranges::sort(isolating, {}, [](const NetworkPolicy* policy) {
        return std::pair(policy->policy_namespace, policy->name);
    });
    return isolating;
}

static std::optional<RuleName> first_match(const World& world, const Packet& packet, const Pod& pod,
                                           const NetworkPolicy& policy)
{
    const bool ingress = packet.dir == DIRECTION_INGRESS;
    const std::vector<PolicyRule>& rules = ingress ? *policy.ingress : *policy.egress;
    for (size_t index = 0; index < rules.size(); ++index) {
        const bool matches = ingress
                                 ? ingress_rule_matches(world, policy, rules[index], packet, pod)
                                 : egress_rule_matches(world, policy, rules[index], packet);
        if (matches)
            return RuleName{policy.policy_namespace + "/" + policy.name, index};
    }
    return std::nullopt;
}

static Judgement judge_by_rules(const World& world, const Packet& packet, const Pod& pod,
                                const std::vector<const NetworkPolicy*>& isolating)
{
    Judgement denial{.allow = false, .why = REASON_DENIED};
    for (const NetworkPolicy* policy : isolating) {
        if (const auto rule = first_match(world, packet, pod, *policy))
            return {.why = REASON_RULE, .rule = rule};
        denial.isolating.push_back(policy->policy_namespace + "/" + policy->name);
    }
    if (leads_back(world, packet, pod))
        return {.why = REASON_SELF};
    return denial;
}

// Whether the pod sends from an address that is not its own. Of a family in which it has none,
// only what somebody else is known to have counts. Link-local addresses are not asked for here.
static bool spoofed(const World& world, const Packet& packet, const Pod& pod)
{
    if (packet.dir == DIRECTION_INGRESS || pod.addresses.empty() ||
        std::ranges::count(pod.addresses, packet.source) != 0)
        return false;
    for (const IpAddress& own : pod.addresses)
        if (same_family(own, packet.source))
            return true;
    const bool service = std::ranges::any_of(world.services, [&](const auto& one) {
        return std::ranges::count(one->cluster_ips, packet.source) != 0;
    });
    return service || owner(world, packet.source) != nullptr ||
           world.node_addresses.contains(packet.source);
}

Judgement judge(const World& world, const Packet& packet)
{
    const auto interface =
        std::ranges::find(world.interfaces, packet.ifindex, &LocalInterface::ifindex);
    if (interface == world.interfaces.end() || interface->pod == nullptr)
        return {.allow = false, .why = REASON_UNKNOWN_POD};
    const Pod& pod = *interface->pod;
    if (spoofed(world, packet, pod))
        return {.allow = false, .why = REASON_SPOOFED};
    const auto isolating = isolating_policies(world, pod, packet.dir);
    if (isolating.empty())
        return {.why = REASON_NO_POLICY};
    if (packet.source == packet.destination)
        return {.why = REASON_SELF};
    if (packet.dir == DIRECTION_INGRESS && world.node_addresses.contains(packet.source))
        return {.why = REASON_NODE};
    return judge_by_rules(world, packet, pod, isolating);
}

} // namespace reference
