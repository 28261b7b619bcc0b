// SPDX-License-Identifier: Apache-2.0
#include "bench/crowd.h"

#include <fmt/format.h>

namespace bench {

using system_test::replace_file;

std::string pod_yaml(const std::string& v4, const std::string& v6, int number)
{
    return fmt::format("apiVersion: v1\nkind: Pod\nmetadata: {{name: pod-{0}, namespace: shop, "
                       "labels: {{app: app-{0}}}}}\nspec: {{nodeName: node-1}}\nstatus: {{phase: "
                       "Running, podIPs: [{{ip: {1}}}, {{ip: '{2}'}}]}}\n",
                       number, v4, v6);
}

std::string policy_yaml(int number, bool open)
{
    return fmt::format(
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: policy-{0}, "
        "namespace: shop}}\nspec:\n  podSelector: {{matchLabels: {{app: app-{0}}}}}\n  ingress:\n"
        "  - from: [{{podSelector: {{matchLabels: {{app: app-{1}}}}}}}]\n    ports: [{{port: "
        "{2}}}]\n",
        number, (number + 1) % Crowd::pods, open ? 80 : 81);
}

Crowd::Crowd() : node(must(lab::Node::make(lab::Wiring::routed))), agent(*node)
{
    for (int i = 0; i < pods; i++) {
        const auto* pod = must(node->add_pod(fmt::format("pod{}", i), static_cast<uint8_t>(i + 2)));
        replace_file(agent.inventory() / fmt::format("pod-{}.yaml", i),
                     pod_yaml(pod->v4, pod->v6, i));
        replace_file(agent.policies() / fmt::format("policy-{}.yaml", i), policy_yaml(i, true));
    }
}

} // namespace bench
