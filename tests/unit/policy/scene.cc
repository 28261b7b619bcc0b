// SPDX-License-Identifier: Apache-2.0
#include "unit/policy/scene.h"

#include <gtest/gtest.h>

namespace ebpfd {
namespace {

std::pair<std::string, std::string> split_key(const std::string& key)
{
    const auto slash = key.find('/');
    return {key.substr(0, slash), key.substr(slash + 1)};
}

std::vector<IpAddress> ips(const std::vector<std::string>& texts)
{
    std::vector<IpAddress> result;
    for (const auto& text : texts)
        result.push_back(ip(text));
    return result;
}

} // namespace

IpAddress ip(std::string_view text)
{
    const auto address = IpAddress::parse(text);
    EXPECT_TRUE(address) << text;
    return address.value_or(IpAddress{});
}

Selector labelled(const Labels& labels)
{
    Selector result;
    for (const auto& [key, value] : labels)
        result.requirements.push_back({key, Requirement::Operator::in, {value}});
    return result;
}

PolicyPeer pods(const Labels& labels)
{
    return {.block = {}, .namespaces = {}, .pods = labelled(labels)};
}

PolicyPeer namespaces(const Labels& labels)
{
    return {.block = {}, .namespaces = labelled(labels), .pods = {}};
}

PolicyPeer pods_in(const Labels& of_namespace, const Labels& of_pod)
{
    return {.block = {}, .namespaces = labelled(of_namespace), .pods = labelled(of_pod)};
}

PolicyPeer block(std::string_view cidr, const std::vector<std::string>& except)
{
    IpBlock result{*Cidr::parse(cidr), {}};
    for (const auto& text : except)
        result.except.push_back(*Cidr::parse(text));
    return {.block = result, .namespaces = {}, .pods = {}};
}

PolicyPort ports(uint16_t first, uint16_t last, Protocol protocol)
{
    return {protocol, PortRange{first, last}};
}

PolicyPort port(uint16_t number, Protocol protocol)
{
    return ports(number, number, protocol);
}

PolicyPort every_port(Protocol protocol)
{
    return {protocol, PortRange{}};
}

PolicyPort named(std::string name, Protocol protocol)
{
    return {protocol, std::move(name)};
}

Rules& Rules::rule(std::vector<PolicyPeer> peers, std::vector<PolicyPort> ports)
{
    const auto line = static_cast<uint32_t>(list.size() + 1);
    list.push_back({std::move(peers), std::move(ports), {"policy.yaml", line, 1}});
    return *this;
}

NetworkPolicy policy(const std::string& key, const Labels& selected)
{
    NetworkPolicy result;
    std::tie(result.policy_namespace, result.name) = split_key(key);
    result.pod_selector = labelled(selected);
    result.origin = {"policy.yaml", 1, 1};
    return result;
}

NetworkPolicy ingress_policy(const std::string& key, const Labels& selected, Rules rules)
{
    NetworkPolicy result = policy(key, selected);
    result.ingress = std::move(rules.list);
    return result;
}

NetworkPolicy egress_policy(const std::string& key, const Labels& selected, Rules rules)
{
    NetworkPolicy result = policy(key, selected);
    result.egress = std::move(rules.list);
    return result;
}

Pod& Scene::pod(const std::string& key, const Labels& labels,
                const std::vector<std::string>& addresses)
{
    auto made = std::make_shared<Pod>();
    std::tie(made->pod_namespace, made->name) = split_key(key);
    made->labels = labels;
    made->addresses = ips(addresses);
    world.pods.push_back(made);
    return *made;
}

Pod& Scene::local(const std::string& key, const Labels& labels,
                  const std::vector<std::string>& addresses)
{
    Pod& made = pod(key, labels, addresses);
    const auto ifindex = static_cast<uint32_t>(world.interfaces.size() + 10);
    world.interfaces.push_back({ifindex, "veth" + std::to_string(ifindex), world.pods.back()});
    return made;
}

void Scene::describe_namespace(const std::string& name, Labels labels)
{
    world.namespaces.push_back(std::make_shared<Namespace>(Namespace{name, std::move(labels), {}}));
}

void Scene::add(NetworkPolicy policy)
{
    world.policies.push_back(std::make_shared<NetworkPolicy>(std::move(policy)));
}

void Scene::service(const std::string& key, const std::string& cluster_ip,
                    std::vector<ServicePort> ports)
{
    const auto [in, name] = split_key(key);
    world.services.push_back(
        std::make_shared<Service>(Service{in, name, {ip(cluster_ip)}, std::move(ports), {}}));
}

void Scene::slice(const std::string& service_key, std::vector<ServicePort> ports,
                  const std::vector<std::string>& ready)
{
    const auto [in, name] = split_key(service_key);
    world.slices.push_back(std::make_shared<EndpointSlice>(
        EndpointSlice{in, name + "-1", name, std::move(ports), ips(ready), {}}));
}

Plan Scene::plan() const
{
    auto result = compile(world);
    EXPECT_TRUE(result) << result.error().message;
    return result ? std::move(*result) : Plan{};
}

} // namespace ebpfd
