// SPDX-License-Identifier: Apache-2.0
#include "system/kinds.h"

#include <fmt/format.h>
#include <initializer_list>

namespace system_test {
namespace {

std::string udp_ports(std::initializer_list<Kind> kinds)
{
    std::string ports;
    for (const Kind kind : kinds)
        ports += fmt::format("{}{{protocol: UDP, port: {}}}", ports.empty() ? "" : ", ",
                             port_of.at(kind));
    return "ports: [" + ports + "]";
}

std::string from_pod(const std::string& app, const std::string& ports)
{
    return fmt::format(
        "{{from: [{{namespaceSelector: {{}}, podSelector: {{matchLabels: {{app: {}}}}}}}], {}}}",
        app, ports);
}

std::string to_pod(const std::string& app, const std::string& ports)
{
    return fmt::format(
        "{{to: [{{namespaceSelector: {{}}, podSelector: {{matchLabels: {{app: {}}}}}}}], {}}}", app,
        ports);
}

std::string subject(const std::string& app, const std::string& rules)
{
    return fmt::format("{{podSelector: {{matchLabels: {{app: {}}}}}, {}}}", app, rules);
}

} // namespace

std::vector<PolicyFile> policies_of_kinds()
{
    std::vector<PolicyFile> files;
    for (const Kind kind : {red, blue})
        files.push_back(
            policy(std::string("ops/") + name_of_kind.at(kind),
                   subject(name_of_kind.at(kind),
                           fmt::format("policyTypes: [Ingress, Egress], egress: [{}, {}], "
                                       "ingress: [{}, {}]",
                                       to_pod("api", udp_ports({kind})),
                                       to_pod("db", udp_ports({red, blue})),
                                       from_pod("web", udp_ports({kind})),
                                       from_pod("scan", udp_ports({red, blue}))))));
    files.push_back(policy(
        "shop/db", subject("db", fmt::format("ingress: [{}, {}]", from_pod("red", udp_ports({red})),
                                             from_pod("blue", udp_ports({blue}))))));
    files.push_back(
        policy("ops/scan", subject("scan", fmt::format("policyTypes: [Egress], egress: [{}, {}]",
                                                       to_pod("red", udp_ports({red})),
                                                       to_pod("blue", udp_ports({blue}))))));
    return files;
}

} // namespace system_test
