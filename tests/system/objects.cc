// SPDX-License-Identifier: Apache-2.0
#include "system/objects.h"

#include <fmt/format.h>

namespace system_test {
namespace {

std::string pod_yaml(const PodObject& pod)
{
    std::string addresses;
    for (const std::string& address : pod.addresses)
        addresses += fmt::format("{}{{ip: '{}'}}", addresses.empty() ? "" : ", ", address);
    return fmt::format(R"(---
apiVersion: v1
kind: Pod
metadata:
  name: {}
  namespace: {}
  uid: uid-{}-{}
  creationTimestamp: "{}"
  labels: {}
  annotations: {}
spec:
  nodeName: {}
  hostNetwork: {}
  containers: [{{name: main, ports: {}}}]
status:
  phase: {}
  podIP: '{}'
  podIPs: [{}]
)",
                       pod.name, pod.pod_namespace, pod.pod_namespace, pod.name, pod.created,
                       pod.labels, pod.annotations, pod.node, pod.host_network, pod.ports,
                       pod.phase, pod.addresses.empty() ? "" : pod.addresses.front(), addresses);
}

std::string namespace_yaml(const std::string& name, const std::string& labels)
{
    return fmt::format("---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: {}, labels: {}}}\n",
                       name, labels);
}

} // namespace

Inventory Inventory::of(const lab::Node& node)
{
    Inventory made;
    const auto add = [&](const char* space, const char* name, const char* labels,
                         const char* ports) {
        const lab::Machine& machine = node.pod(name);
        made.add({.pod_namespace = space,
                  .name = name,
                  .labels = labels,
                  .addresses = {machine.v4, machine.v6},
                  .ports = ports});
    };
    add("shop", "web", "{app: web, tier: front}", "[{name: http, containerPort: 80}]");
    add("shop", "db", "{app: db, tier: back}", "[{name: sql, containerPort: 5432}]");
    add("ops", "api", "{app: api, tier: back}", "[{name: sql, containerPort: 8080}]");
    add("ops", "scan", "{app: scan}", "[]");
    made.set_namespace("shop", "{team: sales}");
    made.set_namespace("ops", "{team: ops}");
    return made;
}

void Inventory::set_namespace(const std::string& name, const std::string& labels)
{
    namespaces_[name] = labels;
}

std::string Inventory::yaml() const
{
    std::string text;
    for (const auto& [name, labels] : namespaces_)
        text += namespace_yaml(name, labels);
    for (const auto& [name, pod] : pods_)
        text += pod_yaml(pod);
    for (const std::string& other : others_)
        text += "---\n" + other + "\n";
    return text;
}

PolicyFile policy(const std::string& name, const std::string& spec)
{
    const size_t slash = name.find('/');
    const std::string space = name.substr(0, slash);
    const std::string own = name.substr(slash + 1);
    return {fmt::format("{}-{}.yaml", space, own),
            fmt::format("apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
                        "metadata: {{name: {}, namespace: {}}}\nspec: {}\n",
                        own, space, spec)};
}

PolicyFile db_allows(int port)
{
    return policy("shop/db", fmt::format("{{podSelector: {{matchLabels: {{app: db}}}}, "
                                         "ingress: [{{ports: [{{port: {}}}]}}]}}",
                                         port));
}

} // namespace system_test
