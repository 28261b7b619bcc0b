// SPDX-License-Identifier: Apache-2.0
#include "bench/rivals.h"

#include "bench/crowd.h"
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
#include <set>
#include <stdexcept>
#include <unistd.h>

namespace bench {
namespace {

using Many = std::vector<Allowed>;

constexpr size_t most_rules = 500; // of ebpfd: one direction of a pod has 512

// A command of the node's that reads a file of text: "nft -f", "ipset restore -file". Milliseconds
// from its start to its end.
double feed(const lab::Node& node, lab::Argv command, const std::string& text)
{
    std::string file = "/tmp/ebpfd-bench-XXXXXX";
    const ebpfd::Fd fd(mkstemp(file.data()));
    std::ofstream(file) << text;
    command.push_back(file);
    const auto start = std::chrono::steady_clock::now();
    auto process = lab::Process::start(command, node.host().netns.path());
    const double ms = wait_until(start, [&] { return !process.running(); });
    std::filesystem::remove(file);
    if (process.wait() != 0)
        throw std::runtime_error(fmt::format("{}: {}", command.front(), process.err()));
    return ms;
}

std::shared_ptr<void> nothing(const lab::Node&, const Many&)
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
std::shared_ptr<void> empty_program(const lab::Node& node, const Many&)
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
    std::map<std::pair<uint16_t, std::string>, std::string> by_port;
    for (const auto& [address, protocol, port] : allowed)
        by_port[{port, protocol}] += fmt::format("    - ipBlock: {{cidr: {}/32}}\n", address);
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
std::shared_ptr<void> ebpfd_agent(const lab::Node& node, const Many& allowed)
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
double rename_policy(const lab::Node& node, const std::shared_ptr<void>& enforcement,
                     const Many& /*now*/, const Many& next)
{
    const auto enforced = std::static_pointer_cast<Enforced>(enforcement);
    const lab::Machine &client = node.pod("client"), &server = node.pod("server");
    const ebpfd::TraceQuestion question{.ifindex = interface_of(*enforced->maps, "server"),
                                        .dir = DIRECTION_INGRESS,
                                        .source = *ebpfd::IpAddress::parse(client.v4),
                                        .destination = *ebpfd::IpAddress::parse(server.v4),
                                        .protocol = IPPROTO_UDP,
                                        .port = open_port};
    const verdict expected = allows(next, client.v4) ? VERDICT_ALLOW : VERDICT_DENY;
    const auto hidden = enforced->agent.policies() / ".server.new";
    std::ofstream(hidden) << policy_file(next);
    const auto start = std::chrono::steady_clock::now();
    std::filesystem::rename(hidden, enforced->agent.policies() / "server.yaml");
    return wait_until(start,
                      [&] { return must(enforced->maps->trace(question)).outcome == expected; });
}

// Those of the first that the second does not have.
Many without(const Many& all, const Many& others)
{
    std::set<std::string> addresses;
    for (const Allowed& other : others)
        addresses.insert(other.address);
    Many out;
    std::ranges::copy_if(all, std::back_inserter(out),
                         [&](const Allowed& one) { return !addresses.contains(one.address); });
    return out;
}

std::shared_ptr<void> nft_sets(const lab::Node& node, const Many& allowed)
{
    std::string text =
        "table ip pods {\n set allowed {\n  type ipv4_addr . inet_proto . inet_service\n"
        "  elements = {\n";
    for (const auto& [address, protocol, port] : allowed)
        text += fmt::format("   {} . {} . {},\n", address, protocol, port);
    text += "  }\n }\n chain forward {\n  type filter hook forward priority 0; policy accept;\n"
            "  ct state established,related accept\n";
    text += fmt::format("  ip daddr {0} ip saddr . ip protocol . th dport @allowed accept\n"
                        "  ip daddr {0} drop\n }}\n}}\n",
                        node.pod("server").v4);
    feed(node, {"nft", "-f"}, text);
    return {};
}

std::string nft_elements(const char* verb, const Many& all)
{
    if (all.empty())
        return "";
    std::string text = fmt::format("{} element ip pods allowed {{\n", verb);
    for (const auto& [address, protocol, port] : all)
        text += fmt::format(" {} . {} . {},\n", address, protocol, port);
    return text + "}\n";
}

// Element by element where few change, else all anew.
double change_nft_set(const lab::Node& node, const std::shared_ptr<void>& /*enforcement*/,
                      const Many& now, const Many& next)
{
    const Many gone = without(now, next), come = without(next, now);
    if (gone.size() + come.size() < next.size())
        return feed(node, {"nft", "-f"}, nft_elements("delete", gone) + nft_elements("add", come));
    return feed(node, {"nft", "-f"}, "flush set ip pods allowed\n" + nft_elements("add", next));
}

// Without the state of connections: all rules with each packet to the pod.
std::shared_ptr<void> nft_linear(const lab::Node& node, const Many& allowed)
{
    std::string text = "table ip pods {\n chain server {\n";
    for (const auto& [address, protocol, port] : allowed)
        text += fmt::format("  ip saddr {} {} dport {} accept\n", address, protocol, port);
    text += fmt::format("  drop\n }}\n chain forward {{\n  type filter hook forward priority 0; "
                        "policy accept;\n  ip daddr {} jump server\n }}\n}}\n",
                        node.pod("server").v4);
    feed(node, {"nft", "-f"}, text);
    return {};
}

std::string iptables(const lab::Node& node, const std::string& rules)
{
    return fmt::format("*filter\n:FORWARD ACCEPT [0:0]\n:SERVER - [0:0]\n"
                       "-A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT\n"
                       "-A FORWARD -d {} -j SERVER\n{}-A SERVER -j DROP\nCOMMIT\n",
                       node.pod("server").v4, rules);
}

std::string iptables_rules(const Many& allowed)
{
    std::string rules;
    for (const auto& [address, protocol, port] : allowed)
        rules += fmt::format("-A SERVER -s {0} -p {1} -m {1} --dport {2} -j ACCEPT\n", address,
                             protocol, port);
    return rules;
}

std::shared_ptr<void> iptables_linear(const lab::Node& node, const Many& allowed)
{
    feed(node, {"iptables-restore"}, iptables(node, iptables_rules(allowed)));
    return {};
}

// The table as a whole, which is how it changes at once.
double change_iptables(const lab::Node& node, const std::shared_ptr<void>& /*enforcement*/,
                       const Many& /*now*/, const Many& next)
{
    return feed(node, {"iptables-restore"}, iptables(node, iptables_rules(next)));
}

std::string ipset_entries(const char* verb, const char* set, const Many& all)
{
    std::string text;
    for (const auto& [address, protocol, port] : all)
        text += fmt::format("{} {} {},{}:{}\n", verb, set, address, protocol, port);
    return text;
}

std::shared_ptr<void> iptables_sets(const lab::Node& node, const Many& allowed)
{
    feed(node, {"ipset", "restore", "-file"},
         "create allowed hash:ip,port\n" + ipset_entries("add", "allowed", allowed));
    feed(node, {"iptables-restore"},
         iptables(node, "-A SERVER -m set --match-set allowed src,dst -j ACCEPT\n"));
    return {};
}

// Entry by entry where few change, else by a set that takes the other's place.
double change_ipset(const lab::Node& node, const std::shared_ptr<void>& /*enforcement*/,
                    const Many& now, const Many& next)
{
    const Many gone = without(now, next), come = without(next, now);
    const lab::Argv restore{"ipset", "restore", "-file"};
    if (gone.size() + come.size() < next.size())
        return feed(node, restore,
                    ipset_entries("del", "allowed", gone) + ipset_entries("add", "allowed", come));
    return feed(node, restore,
                "create next hash:ip,port\n" + ipset_entries("add", "next", next) +
                    "swap next allowed\ndestroy next\n");
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
