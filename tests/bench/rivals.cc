// SPDX-License-Identifier: Apache-2.0
#include "bench/rivals.h"

#include "bench/crowd.h"
#include "bench/rival_tools.h"
#include "bench/traffic.h"

#include <algorithm>
#include <bpf/libbpf.h>
#include <chrono>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <map>
#include <net/if.h>
#include <netinet/in.h>
#include <stdexcept>
#include <unistd.h>

namespace bench {
namespace {

constexpr size_t most_rules = 500; // of ebpfd: one direction of a pod has 512

Enforcement nothing(const lab::Node&, const Many&)
{
    return {};
}

void attach(uint32_t ifindex, int program)
{
    LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = static_cast<int>(ifindex),
                .attach_point = static_cast<bpf_tc_attach_point>(BPF_TC_INGRESS | BPF_TC_EGRESS));
    if (bpf_tc_hook_create(&hook) != 0)
        throw std::runtime_error("no clsact");
    for (const auto point : {BPF_TC_INGRESS, BPF_TC_EGRESS}) {
        LIBBPF_OPTS(bpf_tc_opts, options, .prog_fd = program);
        hook.attach_point = point;
        if (bpf_tc_attach(&hook, &options) != 0)
            throw std::runtime_error("the empty program does not attach");
    }
}

// Where ebpfd has its programs: both ways of both pods.
Enforcement empty_program(const lab::Node& node, const Many&)
{
    auto traffic = std::make_shared<Traffic>(0);
    std::string failure;
    node.host().netns.enter([&] {
        try {
            for (const char* pod : {"client", "server"})
                attach(if_nametoindex(node.pod(pod).host_interface.c_str()), traffic->empty());
        } catch (const std::exception& error) {
            failure = error.what();
        }
    });
    if (!failure.empty())
        throw std::runtime_error(failure);
    return traffic;
}

std::string pod_file(const lab::Machine& pod, const char* name)
{
    return fmt::format("apiVersion: v1\nkind: Pod\nmetadata: {{name: {0}, namespace: shop, labels: "
                       "{{app: {0}}}}}\nspec: {{nodeName: node-1}}\nstatus: {{phase: Running, "
                       "podIPs: [{{ip: {1}}}, {{ip: '{2}'}}]}}\n",
                       name, pod.v4, pod.v6);
}

// What the client may send to, so that both ends of a connection are judged.
std::string client_policy()
{
    return fmt::format("apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
                       "metadata: {{name: client, namespace: shop}}\n"
                       "spec:\n  podSelector: {{matchLabels: {{app: client}}}}\n"
                       "  policyTypes: [Egress]\n  egress:\n"
                       "  - to: [{{podSelector: {{matchLabels: {{app: server}}}}}}]\n"
                       "    ports: [{{port: {0}}}, {{port: {0}, protocol: UDP}}, "
                       "{{port: {1}, protocol: UDP}}]\n",
                       open_port, closed_port);
}

// One rule for each port, as many as fit into a rule set; each with its addresses.
std::string policy_file(const Many& allowed)
{
    const int length = family_of(allowed) == lab::Family::v4 ? 32 : 128;
    std::map<std::pair<uint16_t, std::string>, std::string> by_port;
    for (const auto& [address, protocol, port] : allowed)
        by_port[{port, protocol}] +=
            fmt::format("    - ipBlock: {{cidr: '{}/{}'}}\n", address, length);
    if (by_port.size() > most_rules)
        throw std::runtime_error("more ports than one pod can have rules");
    std::string text = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
                       "metadata: {name: server, namespace: shop}\n"
                       "spec:\n  podSelector: {matchLabels: {app: server}}\n  ingress:\n";
    for (const auto& [port, blocks] : by_port)
        text += fmt::format("  - ports: [{{port: {}, protocol: {}}}]\n    from:\n", port.first,
                            port.second == "tcp" ? "TCP" : "UDP") +
                blocks;
    return text;
}

struct Enforced {
    explicit Enforced(const lab::Node& node) : agent(node) {}

    system_test::Agent agent;
    std::unique_ptr<ebpfd::PinnedMaps> maps;
};

// The agent as users run it, without the kernel hooks: those are the kernel's, not the node's, and
// would cost all others the same.
Enforcement ebpfd_agent(const lab::Node& node, const Many& allowed)
{
    auto enforced = std::make_shared<Enforced>(node);
    system_test::Agent& agent = enforced->agent;
    for (const char* pod : {"client", "server"})
        system_test::replace_file(agent.inventory() / fmt::format("{}.yaml", pod),
                                  pod_file(node.pod(pod), pod));
    system_test::replace_file(agent.policies() / "server.yaml", policy_file(allowed));
    system_test::replace_file(agent.policies() / "client.yaml", client_policy());
    if (!agent.start({"--hooks", "none", "--log-level", "info"}))
        throw std::runtime_error("ebpfd did not start: " + agent.process().err());
    enforced->maps = must(ebpfd::PinnedMaps::open(agent.bpffs()));
    return enforced;
}

bool allows(const Many& allowed, const std::string& address)
{
    return std::ranges::find(allowed, address, &Allowed::address) != allowed.end();
}

uint32_t interface_of(const ebpfd::PinnedMaps& maps, const std::string& pod)
{
    for (const auto& [ifindex, name] : must(maps.endpoint_names()))
        if (pod == name.pod)
            return ifindex;
    throw std::runtime_error("no endpoint " + pod);
}

// As a careful writer does it; time begins with the rename, and ends when the loaded program says
// so.
double rename_policy(const lab::Node& node, const Enforcement& enforcement, const Many& /*now*/,
                     const Many& next)
{
    const auto enforced = std::static_pointer_cast<Enforced>(enforcement);
    const lab::Family family = family_of(next);
    const std::string& client = node.pod("client").at(family);
    const ebpfd::TraceQuestion question{.ifindex = interface_of(*enforced->maps, "server"),
                                        .dir = DIRECTION_INGRESS,
                                        .source = *ebpfd::IpAddress::parse(client),
                                        .destination =
                                            *ebpfd::IpAddress::parse(node.pod("server").at(family)),
                                        .protocol = IPPROTO_UDP,
                                        .port = open_port};
    const verdict expected = allows(next, client) ? VERDICT_ALLOW : VERDICT_DENY;
    const auto hidden = enforced->agent.policies() / ".server.new";
    std::ofstream(hidden) << policy_file(next);
    const auto start = std::chrono::steady_clock::now();
    std::filesystem::rename(hidden, enforced->agent.policies() / "server.yaml");
    return wait_until(start,
                      [&] { return must(enforced->maps->trace(question)).outcome == expected; });
}

} // namespace

const std::vector<Rival>& rivals()
{
    static const std::vector<Rival> all{
        {no_policy, false, nothing},
        {"empty tc program", false, empty_program},
        {"ebpfd", true, ebpfd_agent, "ebpfd, a file renamed", rename_policy},
        {"nftables sets", true, nft_sets, "nft -f", change_nft_set},
        {"nftables linear, stateless", true, nft_linear},
        {"iptables linear", true, iptables_linear, "iptables-restore", change_iptables},
        {"iptables + ipset", true, iptables_sets, "ipset restore", change_ipset}};
    return all;
}

} // namespace bench
