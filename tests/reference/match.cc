// SPDX-License-Identifier: Apache-2.0
#include "reference/match.h"

#include <algorithm>

using namespace ebpfd;

namespace reference {

static bool requirement_holds(const Requirement& requirement, const Labels& labels)
{
    const auto label = labels.find(requirement.key);
    const bool present = label != labels.end();
    const bool listed = present && std::ranges::count(requirement.values, label->second) > 0;
    switch (requirement.op) {
    case Requirement::Operator::in:
        return listed;
    case Requirement::Operator::not_in:
        return !listed;
    case Requirement::Operator::exists:
        return present;
    case Requirement::Operator::does_not_exist:
        return !present;
    }
    return false;
}

bool selector_matches(const Selector& selector, const Labels& labels)
{
    for (const Requirement& requirement : selector.requirements)
        if (!requirement_holds(requirement, labels))
            return false;
    return true;
}

Labels namespace_labels(const World& world, const std::string& name)
{
    Labels labels;
    for (const auto& each : world.namespaces)
        if (each->name == name)
            labels = each->labels;
    labels.try_emplace("kubernetes.io/metadata.name", name);
    return labels;
}

static bool is_ipv4(const IpAddress& address)
{
    static constexpr uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    return std::equal(std::begin(mapped), std::end(mapped), address.bytes.begin());
}

bool same_family(const IpAddress& a, const IpAddress& b)
{
    return is_ipv4(a) == is_ipv4(b);
}

static bool bit(const IpAddress& address, unsigned index)
{
    return (address.bytes[index / 8] >> (7 - index % 8)) & 1;
}

bool inside(const Cidr& block, const IpAddress& address)
{
    const bool block_is_ipv4 = block.prefix >= 96 && is_ipv4(block.address);
    if (block_is_ipv4 != is_ipv4(address))
        return false;
    for (unsigned index = 0; index < block.prefix; ++index)
        if (bit(block.address, index) != bit(address, index))
            return false;
    return true;
}

static bool block_matches(const IpBlock& block, const IpAddress& address)
{
    if (!inside(block.cidr, address))
        return false;
    for (const Cidr& except : block.except)
        if (inside(except, address))
            return false;
    return true;
}

bool policy_selects(const NetworkPolicy& policy, const Pod& pod)
{
    return !pod.host_network && policy.policy_namespace == pod.pod_namespace &&
           selector_matches(policy.pod_selector, pod.labels);
}

bool cluster_policy_selects(const World& world, const ClusterPolicy& policy, const Pod& pod)
{
    return !pod.host_network && selector_matches(policy.pods, pod.labels) &&
           selector_matches(policy.namespaces, namespace_labels(world, pod.pod_namespace));
}

const Pod* owner(const World& world, const IpAddress& address)
{
    const Pod* newest = nullptr;
    for (const auto& pod : world.pods) {
        if (pod->finished || std::ranges::count(pod->addresses, address) == 0)
            continue;
        if (newest == nullptr || pod->created > newest->created)
            newest = pod.get();
    }
    if (newest == nullptr || newest->host_network || world.node_addresses.contains(address))
        return nullptr;
    return newest;
}

static bool node_matches(const World& world, const Selector& selector, const IpAddress& address)
{
    for (const auto& node : world.nodes)
        if (selector_matches(selector, node->labels) &&
            std::ranges::count(node->addresses, address))
            return true;
    return false;
}

static bool selectors_match(const World& world, const std::string& own_namespace,
                            const PolicyPeer& peer, const Pod& pod)
{
    if (peer.pods && !selector_matches(*peer.pods, pod.labels))
        return false;
    if (!peer.namespaces)
        return pod.pod_namespace == own_namespace;
    return selector_matches(*peer.namespaces, namespace_labels(world, pod.pod_namespace));
}

bool peer_matches(const World& world, const std::string& own_namespace, const PolicyRule& rule,
                  const IpAddress& address)
{
    if (rule.peers.empty())
        return !rule.nobody;
    const Pod* pod = owner(world, address);
    for (const PolicyPeer& peer : rule.peers) {
        if (peer.block && block_matches(*peer.block, address))
            return true;
        if (peer.nodes && node_matches(world, *peer.nodes, address))
            return true;
        if (!peer.block && !peer.nodes && pod != nullptr &&
            selectors_match(world, own_namespace, peer, *pod))
            return true;
    }
    return false;
}

static bool resolves(const Pod& pod, const std::string& name, Protocol protocol, uint16_t port)
{
    for (const NamedPort& named : pod.ports)
        if (named.name == name && named.protocol == protocol && named.number == port)
            return true;
    return false;
}

bool port_matches(const PolicyRule& rule, uint8_t protocol, uint16_t port, const Pod* destination)
{
    if (rule.ports.empty())
        return true;
    for (const PolicyPort& each : rule.ports) {
        if (static_cast<uint8_t>(each.protocol) != protocol)
            continue;
        if (const auto* range = std::get_if<PortRange>(&each.port)) {
            if (range->first <= port && port <= range->last)
                return true;
        } else if (destination != nullptr &&
                   resolves(*destination, std::get<std::string>(each.port), each.protocol, port)) {
            return true;
        }
    }
    return false;
}

} // namespace reference
