// SPDX-License-Identifier: Apache-2.0
#include "policy_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace ebpfd {
namespace {

std::string requirement_text(const Requirement& requirement)
{
    const auto& [key, op, values] = requirement;
    switch (op) {
    case Requirement::Operator::in:
        return values.size() == 1 ? fmt::format("{}={}", key, values[0])
                                  : fmt::format("{} in ({})", key, fmt::join(values, ","));
    case Requirement::Operator::not_in:
        return values.size() == 1 ? fmt::format("{}!={}", key, values[0])
                                  : fmt::format("{} notin ({})", key, fmt::join(values, ","));
    case Requirement::Operator::exists:
        return key;
    case Requirement::Operator::does_not_exist:
        return "!" + key;
    }
    return key;
}

std::string block_text(const IpBlock& block)
{
    std::string out = block.cidr.text();
    for (const auto& except : block.except)
        out +=
            fmt::format("{}{}", &except == &block.except.front() ? " except " : ",", except.text());
    return out;
}

std::string peer_text(const PolicyPeer& peer)
{
    if (peer.block)
        return block_text(*peer.block);
    if (peer.nodes)
        return "nodes " + selector_text(*peer.nodes);
    const std::string pods = "pods " + selector_text(peer.pods.value_or(Selector{}));
    if (!peer.namespaces)
        return pods;
    return fmt::format("{} in namespaces {}", pods, selector_text(*peer.namespaces));
}

std::string protocol_text(Protocol protocol)
{
    switch (protocol) {
    case Protocol::udp:
        return "UDP";
    case Protocol::sctp:
        return "SCTP";
    default:
        return "TCP";
    }
}

std::string port_text(const PolicyPort& port)
{
    const std::string protocol = protocol_text(port.protocol);
    if (const auto* name = std::get_if<std::string>(&port.port))
        return fmt::format("{}/{}", *name, protocol);
    const auto& [first, last] = std::get<PortRange>(port.port);
    if (first == 0 && last == 65535)
        return protocol;
    return first == last ? fmt::format("{}/{}", first, protocol)
                         : fmt::format("{}-{}/{}", first, last, protocol);
}

} // namespace

std::string selector_text(const Selector& selector)
{
    std::vector<std::string> parts;
    for (const auto& requirement : selector.requirements)
        parts.push_back(requirement_text(requirement));
    return parts.empty() ? "all" : fmt::format("{}", fmt::join(parts, ","));
}

std::string subject_text(const ClusterPolicy& policy)
{
    return peer_text({.block = {}, .namespaces = policy.namespaces, .pods = policy.pods});
}

std::vector<std::string> peer_texts(const PolicyRule& rule)
{
    std::vector<std::string> out;
    for (const auto& peer : rule.peers)
        out.push_back(peer_text(peer));
    return out.empty() ? std::vector<std::string>{rule.nobody ? "nobody" : "everyone"} : out;
}

std::vector<std::string> port_texts(const PolicyRule& rule)
{
    std::vector<std::string> out;
    for (const auto& port : rule.ports)
        out.push_back(port_text(port));
    return out.empty() ? std::vector<std::string>{"every port"} : out;
}

} // namespace ebpfd
