// SPDX-License-Identifier: Apache-2.0
#include "model/names.h"
#include "property/scenario.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <ostream>

using namespace ebpfd;

namespace property {

static std::vector<std::string> texts(const std::vector<IpAddress>& addresses)
{
    std::vector<std::string> all;
    for (const IpAddress& address : addresses)
        all.push_back(address.text());
    return all;
}

static std::string text(const Labels& labels)
{
    std::vector<std::string> pairs;
    for (const auto& [key, value] : labels)
        pairs.push_back(fmt::format("{}: \"{}\"", key, value));
    return fmt::format("{{{}}}", fmt::join(pairs, ", "));
}

static std::string text(const Selector& selector)
{
    static constexpr const char* operators[] = {"In", "NotIn", "Exists", "DoesNotExist"};
    std::vector<std::string> parts;
    for (const Requirement& each : selector.requirements)
        parts.push_back(
            fmt::format("{} {} {}", each.key, operators[static_cast<int>(each.op)], each.values));
    return fmt::format("{{{}}}", fmt::join(parts, ", "));
}

static std::string text(const PolicyPeer& peer)
{
    std::vector<std::string> parts;
    if (peer.block) {
        parts.push_back("ipBlock: " + peer.block->cidr.text());
        for (const Cidr& except : peer.block->except)
            parts.push_back("except: " + except.text());
    }
    if (peer.nodes)
        parts.push_back("nodes: " + text(*peer.nodes));
    if (peer.namespaces)
        parts.push_back("namespaceSelector: " + text(*peer.namespaces));
    if (peer.pods)
        parts.push_back("podSelector: " + text(*peer.pods));
    return fmt::format("{{{}}}", fmt::join(parts, ", "));
}

static std::string text(const PolicyPort& port)
{
    const std::string protocol = protocol_name(static_cast<uint32_t>(port.protocol));
    if (const auto* range = std::get_if<PortRange>(&port.port))
        return fmt::format("{}-{}/{}", range->first, range->last, protocol);
    return std::get<std::string>(port.port) + "/" + protocol;
}

static std::string text(const std::vector<PolicyRule>& rules, bool ingress)
{
    if (rules.empty())
        return " []\n";
    std::string out = "\n";
    for (const PolicyRule& rule : rules) {
        std::vector<std::string> peers;
        for (const PolicyPeer& peer : rule.peers)
            peers.push_back(text(peer));
        std::vector<std::string> ports;
        for (const PolicyPort& port : rule.ports)
            ports.push_back(text(port));
        static constexpr const char* actions[] = {"allow", "deny", "pass"};
        out += fmt::format("    - {} {}: [{}]{}\n      ports: [{}]\n", actions[rule.action],
                           ingress ? "from" : "to", fmt::join(peers, ", "),
                           rule.nobody ? " nobody" : "", fmt::join(ports, ", "));
    }
    return out;
}

static std::string text(const NetworkPolicy& policy)
{
    std::string out = fmt::format("- policy: {}{}\n    podSelector: {}\n", policy.key(),
                                  policy.dry_run ? " (dry run)" : "", text(policy.pod_selector));
    if (policy.ingress)
        out += "    ingress:" + text(*policy.ingress, true);
    if (policy.egress)
        out += "    egress:" + text(*policy.egress, false);
    return out;
}

static std::string text(const ClusterPolicy& policy)
{
    return fmt::format("- {}: {}{} {} priority {}\n    subject: namespaces {} pods {}\n    "
                       "ingress:{}    egress:{}",
                       policy.kind, policy.name, policy.dry_run ? " (dry run)" : "",
                       policy.in_tier == TIER_ADMIN ? "Admin" : "Baseline", policy.priority,
                       text(policy.namespaces), text(policy.pods), text(policy.ingress, true),
                       text(policy.egress, false));
}

static std::string text(const Node& node)
{
    return fmt::format("- node: {}\n    labels: {}\n    addresses: {}\n", node.name,
                       text(node.labels), texts(node.addresses));
}

static std::string text(const Pod& pod)
{
    std::vector<std::string> ports;
    for (const NamedPort& port : pod.ports)
        ports.push_back(fmt::format("{}={}/{}", port.name, port.number,
                                    protocol_name(static_cast<uint32_t>(port.protocol))));
    return fmt::format("- pod: {}\n    labels: {}\n    addresses: {}\n    ports: [{}]\n"
                       "    created: {}{}{}\n",
                       pod.key(), text(pod.labels), texts(pod.addresses), fmt::join(ports, ", "),
                       pod.created, pod.host_network ? "\n    hostNetwork: true" : "",
                       pod.finished ? "\n    finished: true" : "");
}

static std::string text(const std::vector<ServicePort>& ports)
{
    std::vector<std::string> parts;
    for (const ServicePort& port : ports)
        parts.push_back(fmt::format("\"{}\"={}/{}", port.name, port.port,
                                    protocol_name(static_cast<uint32_t>(port.protocol))));
    return fmt::format("[{}]", fmt::join(parts, ", "));
}

static std::string text(const Service& service)
{
    return fmt::format("- service: {}/{}\n    clusterIPs: {}\n    ports: {}\n",
                       service.service_namespace, service.name, texts(service.cluster_ips),
                       text(service.ports));
}

static std::string text(const EndpointSlice& slice)
{
    return fmt::format("- endpointSlice: {}/{}\n    service: {}\n    ports: {}\n    ready: {}\n",
                       slice.slice_namespace, slice.name, slice.service, text(slice.ports),
                       texts(slice.ready_addresses));
}

static std::string text(const Namespace& space)
{
    return fmt::format("- namespace: {}\n    labels: {}\n", space.name, text(space.labels));
}

static std::string text(const LocalInterface& interface)
{
    return fmt::format("- interface: {} {} {}\n", interface.ifindex, interface.name,
                       interface.pod ? interface.pod->key() : "(no pod)");
}

std::string describe(const World& world)
{
    std::string out;
    const auto add_all = [&](const auto& objects) {
        for (const auto& object : objects)
            out += text(*object);
    };
    add_all(world.policies);
    add_all(world.cluster_policies);
    add_all(world.nodes);
    add_all(world.pods);
    add_all(world.namespaces);
    add_all(world.services);
    add_all(world.slices);
    for (const LocalInterface& interface : world.interfaces)
        out += text(interface);
    return out + fmt::format("- nodeAddresses: {}\n",
                             texts({world.node_addresses.begin(), world.node_addresses.end()}));
}

std::string describe(const reference::Packet& packet)
{
    return fmt::format("{} on {}: {} port {} -> {} port {} {}", direction_name(packet.dir),
                       packet.ifindex, packet.source.text(), packet.source_port,
                       packet.destination.text(), packet.destination_port,
                       protocol_name(packet.protocol));
}

void showValue(const Scenario& scenario, std::ostream& out)
{
    out << '\n' << describe(scenario.world);
    for (const reference::Packet& packet : scenario.packets)
        out << "- packet: " << describe(packet) << '\n';
}

} // namespace property
