// SPDX-License-Identifier: Apache-2.0
#include "bench/cluster.h"

#include "policy/network_policy.h"
#include "source/parse.h"

#include <algorithm>
#include <fmt/format.h>
#include <stdexcept>

namespace bench {
namespace {

constexpr uint32_t pods_of_a_file = 100;

// Local pods have those that the lab gives them.
std::vector<ebpfd::IpAddress> addresses_of(uint32_t number, bool local)
{
    const auto parse = [](const std::string& text) { return *ebpfd::IpAddress::parse(text); };
    if (local)
        return {parse(fmt::format("10.1.0.{}", number + 2)),
                parse(fmt::format("fd00:1::{}", number + 2))};
    return {
        parse(fmt::format("10.{}.{}.{}", 16 + (number >> 16), number >> 8 & 255, number & 255))};
}

std::string space_name(uint32_t number)
{
    return fmt::format("space-{}", number);
}

std::string label_list(const ebpfd::Labels& labels)
{
    std::vector<std::string> all;
    for (const auto& [key, value] : labels)
        all.push_back(fmt::format("{}: {}", key, value));
    return fmt::format("{}", fmt::join(all, ", "));
}

} // namespace

uint32_t Cluster::local_pods() const
{
    return std::min(pods, most_local);
}

// So many that a workload has few policies, and a namespace a thousand pods at most.
uint32_t Cluster::namespaces() const
{
    return std::clamp(std::max(pods, 10 * policies) / 1000, 10u, 1000u);
}

uint32_t Cluster::pod_of(uint32_t space, uint32_t workload, uint32_t number) const
{
    return space + namespaces() * (workload + workloads * number);
}

ebpfd::Pod Cluster::pod(uint32_t number) const
{
    const uint32_t workload = number / namespaces() % workloads;
    const bool local = number < local_pods();
    ebpfd::Pod pod;
    pod.pod_namespace = space_name(number % namespaces());
    pod.name = fmt::format("pod-{}", number);
    pod.node = local ? "node-1" : "node-2";
    pod.labels = {{"app", fmt::format("app-{}", workload)},
                  {"tier", workload % 2 == 0 ? "front" : "back"}};
    pod.addresses = addresses_of(number, local);
    return pod;
}

ebpfd::Namespace Cluster::space(uint32_t number, uint32_t team) const
{
    return {.name = space_name(number),
            .labels = {{"kubernetes.io/metadata.name", space_name(number)},
                       {"team", fmt::format("team-{}", team)}},
            .origin = {}};
}

// Policies of the same workload let in different teams. Pods of this node reach each other by UDP
// on ports 9 to 19, and there is a block of addresses outside.
std::string Cluster::policy(uint32_t number, uint16_t port) const
{
    return fmt::format(
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
        "metadata: {{name: policy-{0}, namespace: {1}}}\n"
        "spec:\n  podSelector: {{matchLabels: {{app: app-{2}}}}}\n  ingress:\n"
        "  - from: [{{namespaceSelector: {{matchLabels: {{team: team-{3}}}}}, "
        "podSelector: {{matchLabels: {{tier: front}}}}}}]\n"
        "    ports: [{{port: {4}}}, {{port: 8000, endPort: 8999}}]\n"
        "  - from: [{{ipBlock: {{cidr: 10.1.0.0/24}}}}, {{ipBlock: {{cidr: 192.0.{5}.0/24}}}}]\n"
        "    ports: [{{port: 9, endPort: 19, protocol: UDP}}, {{port: 443}}]\n",
        number, space_name(number % namespaces()), number / namespaces() % workloads,
        (number + number / (namespaces() * workloads)) % teams, port, number % 250);
}

ebpfd::World Cluster::world() const
{
    ebpfd::World world;
    for (uint32_t number = 0; number < pods; ++number)
        world.pods.push_back(std::make_shared<const ebpfd::Pod>(pod(number)));
    for (uint32_t number = 0; number < namespaces(); ++number)
        world.namespaces.push_back(std::make_shared<const ebpfd::Namespace>(space(number)));
    for (uint32_t number = 0; number < policies; ++number)
        world.policies.push_back(read_policy(policy(number)));
    return world;
}

ebpfd::World Cluster::world_with_interfaces() const
{
    ebpfd::World out = world();
    for (uint32_t number = 0; number < local_pods(); ++number)
        out.interfaces.push_back({number + 1, fmt::format("veth{}", number), out.pods[number]});
    return out;
}

std::map<std::string, std::string> Cluster::policy_files() const
{
    std::map<std::string, std::string> files;
    for (uint32_t number = 0; number < policies; ++number)
        files[fmt::format("policy-{}.yaml", number)] = policy(number);
    return files;
}

std::map<std::string, std::string> Cluster::inventory_files() const
{
    std::map<std::string, std::string> files;
    for (uint32_t number = 0; number < namespaces(); ++number)
        files[fmt::format("namespace-{}.yaml", number)] = yaml_of(space(number));
    for (uint32_t number = 0; number < local_pods(); ++number)
        files[fmt::format("pod-{}.yaml", number)] = yaml_of(pod(number));
    for (uint32_t number = local_pods(); number < pods; ++number)
        files[fmt::format("pods-{}.yaml", number / pods_of_a_file)] +=
            "---\n" + yaml_of(pod(number));
    return files;
}

std::string yaml_of(const ebpfd::Pod& pod)
{
    std::vector<std::string> addresses;
    for (const ebpfd::IpAddress& address : pod.addresses)
        addresses.push_back(fmt::format("{{ip: '{}'}}", address.text()));
    return fmt::format(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: {}, namespace: {}, labels: "
        "{{{}}}}}\nspec: {{nodeName: {}}}\nstatus: {{phase: Running, podIPs: [{}]}}\n",
        pod.name, pod.pod_namespace, label_list(pod.labels), pod.node, fmt::join(addresses, ", "));
}

std::string yaml_of(const ebpfd::Namespace& space)
{
    return fmt::format("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {}, labels: {{{}}}}}\n",
                       space.name, label_list(space.labels));
}

std::shared_ptr<const ebpfd::NetworkPolicy> read_policy(const std::string& yaml)
{
    const auto documents = ebpfd::parse_documents(yaml, "policy.yaml");
    if (!documents || documents->size() != 1)
        throw std::runtime_error("a policy of the bench is no YAML document");
    auto policy = ebpfd::decode_network_policy(documents->front());
    if (!policy)
        throw std::runtime_error(policy.error().front().text());
    return std::make_shared<const ebpfd::NetworkPolicy>(std::move(*policy));
}

} // namespace bench
